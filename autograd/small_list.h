// SmallList: a vector whose first N elements lie in the object itself, so that the lists of an op with few inputs need
// no memory of their own. Not here: growing lists of many elements (std::vector).
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>

namespace tandem {

template <class T, std::size_t N>
class SmallList {
 public:
  SmallList() = default;
  explicit SmallList(std::size_t size) { resize(size); }
  SmallList(SmallList&& other) noexcept { take(other); }
  SmallList& operator=(SmallList&& other) noexcept {
    if (this == &other) return *this;
    clear();
    take(other);
    return *this;
  }
  ~SmallList() { clear(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

  /// Room for `capacity` elements without moving those that are there.
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    T* moved = std::allocator<T>{}.allocate(capacity);
    std::uninitialized_move_n(data_, size_, moved);
    std::destroy_n(data_, size_);
    free_memory();
    data_ = moved;
    capacity_ = capacity;
  }
  template <class... A>
  T& emplace_back(A&&... a) {
    if (size_ == capacity_) reserve(2 * capacity_);
    T* place = std::construct_at(data_ + size_, std::forward<A>(a)...);
    ++size_;
    return *place;
  }
  void push_back(T value) { emplace_back(std::move(value)); }
  void append(std::initializer_list<T> more) {
    for (const T& value : more) emplace_back(value);
  }
  void resize(std::size_t size) {
    reserve(size);
    while (size_ < size) emplace_back();
    while (size_ > size) std::destroy_at(data_ + --size_);
  }
  /// Without elements, and without memory but its own.
  void clear() {
    std::destroy_n(data_, size_);
    size_ = 0;
    free_memory();
    data_ = inside();
    capacity_ = N;
  }

 private:
  T* inside() { return reinterpret_cast<T*>(bytes_); }
  void free_memory() {
    if (data_ != inside()) std::allocator<T>{}.deallocate(data_, capacity_);
  }
  /// This is empty and has no memory.
  void take(SmallList& other) {
    if (other.data_ != other.inside()) {
      data_ = std::exchange(other.data_, other.inside());
      capacity_ = std::exchange(other.capacity_, N);
      size_ = std::exchange(other.size_, 0);
      return;
    }
    std::uninitialized_move_n(other.data_, other.size_, data_);
    size_ = other.size_;
    other.clear();
  }

  T* data_ = inside();
  std::size_t size_ = 0, capacity_ = N;
  alignas(T) std::byte bytes_[N * sizeof(T)];
};

}  // namespace tandem
