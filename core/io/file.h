// Files as this library writes them: whole or not at all. AtomicFile writes beside its target and renames at the end;
// LogFile grows by whole lines or records. Every failure throws Error with the path and the system's reason.
//
//   path is                          AtomicFile
//   nothing, a regular file          a temporary beside it, renamed over it; the mode stays, a hard link is cut
//   a link                           the same for the file it leads to; the link stays
//   a device, a pipe, /dev/stdout    written directly: nothing there is replaced, and nothing can be taken back
//
// Not here: formats (safetensors.h), reading of data sets (data/).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace tandem {

/// A file that appears under `path` only when commit() has succeeded. Until then the bytes stand in a temporary file in
/// the same folder, which the destructor removes; a file that stood at `path` before stays as it was.
class AtomicFile {
 public:
  /// Throws Error when the folder cannot be written, `path` is a folder, or links lead in a circle.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Flushes to the disk, calls `before_rename` (which may keep what stands at `path`), renames to `path` and flushes
  /// the folder. Throws Error; `path` is then as before.
  void commit(const std::function<void()>& before_rename = {});

 private:
  std::filesystem::path path_, target_;  // target_: where links lead
  std::filesystem::path temporary_;      // empty where target_ is written directly
  int descriptor_ = -1;
};

/// The file that a name stands for: links are followed, also to a file that does not exist yet. Throws Error for a
/// circle of links.
std::filesystem::path follow_links(const std::filesystem::path& path);

/// A name ".tandem-PID-N.tmp" in this folder that nothing had when it was asked for, for a file that is renamed later.
std::filesystem::path temporary_path(const std::filesystem::path& folder);

/// Removes the files named by temporary_path in this folder (not below it) whose process does not run any more, as a
/// crash leaves them; returns how many. For folders that one machine writes: a process elsewhere is not seen to run.
std::int64_t remove_stale_temporaries(const std::filesystem::path& folder);

/// What LogFile does with a file that has fewer bytes than it had: a machine that went down loses the end of a log.
enum class WhenShort {
  fail,  ///< throws Error
  warn,  ///< goes on behind what is there, from nothing where the file is missing, after one warning
};

/// A file that grows while a program runs, each append() reaching the system at once.
class LogFile {
 public:
  /// Creates the file, or empties it. Throws Error.
  explicit LogFile(std::filesystem::path path);
  /// Goes on with a file that exists, cut back to its first `keep` bytes; size() says how many there are.
  LogFile(std::filesystem::path path, std::int64_t keep, WhenShort when_short = WhenShort::fail);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Adds all bytes or, where the disk is full, takes the part that was written back and throws Error.
  void append(std::string_view bytes);
  /// Waits until everything appended is on the disk. Throws Error.
  void sync();
  const std::filesystem::path& path() const { return path_; }
  /// Bytes so far.
  std::int64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  std::int64_t size_ = 0;
  int descriptor_ = -1;
};

/// A regular file, opened for reading; throws Error when it does not exist, is a folder, or cannot be read.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }
  /// Exactly `count` bytes from `offset`. Throws Error when the file ends before.
  void read(std::uint64_t offset, void* bytes, std::size_t count) const;

 private:
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// The text as the whole content of `path`, as AtomicFile writes it.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The whole content of a file. Throws Error when it is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit = std::uint64_t{1} << 30);

/// Makes the folder and those above it, and proves that files can be written in it. Throws Error otherwise.
void make_writable_folder(const std::filesystem::path& path);

}  // namespace tandem
