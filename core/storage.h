// Storage: a byte range of a Buffer, with a version and an identity. Arrays share Storages.
//
//   Buffer  |----------------------- one allocation -----------------------|
//   Storage      |--- conv1.weight ---|--- conv1.bias ---|   (an arena: many Storages over one Buffer)
//   Array        shape, strides, offset -> Storage
//
// Most Storages need no Buffer: they have a block of the caching allocator to themselves.
// The version counts changes of the values; whoever writes into an existing Array takes its memory by Array::write() or
// calls Array::mark_changed(). A Storage shows its memory to be read; only Arrays that are not const write there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tandem {

/// One allocation of the caching allocator, 64-byte aligned; returned to it on destruction.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

class Storage {
 public:
  /// A Storage over a new block of its own.
  explicit Storage(std::size_t bytes);
  /// A Storage over [begin, begin + bytes) of a buffer that others share.
  Storage(std::shared_ptr<Buffer> buffer, std::size_t begin, std::size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  /// Unique in the process and never reused: with version(), the key of packed copies of weights.
  std::uint64_t id() const { return id_; }
  std::uint64_t version() const { return version_; }
  void mark_changed() { ++version_; }

  /// Copies the bytes into `buffer` at `begin` and lives there from now on; every Array over this Storage follows.
  void move_to(std::shared_ptr<Buffer> buffer, std::size_t begin);
  /// The Buffer that this is a range of; null while the memory is a block of its own.
  const std::shared_ptr<Buffer>& buffer() const { return buffer_; }
  std::size_t begin() const { return begin_; }

  /// Set by a cache that holds copies keyed by id(), so that they are dropped with this Storage.
  void set_has_packed_copies() { has_packed_copies_ = true; }

 private:
  friend class Array;

  std::shared_ptr<Buffer> buffer_;  // null: data_ is a block of the allocator
  std::byte* data_ = nullptr;
  std::size_t begin_ = 0, bytes_ = 0;
  std::uint64_t id_ = 0, version_ = 0;
  bool has_packed_copies_ = false;
};

/// Registered by core/onednn: called with the id of each dying Storage that has packed copies.
void set_packed_copy_reaper(void (*reaper)(std::uint64_t id));

}  // namespace tandem
