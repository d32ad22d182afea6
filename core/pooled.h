// Pooled: an allocator for small objects that are made and destroyed all the time: Storages, the states of Tensors,
// recorded ops. What a thread frees it keeps, in a list for each size, and takes again without a lock.
//   std::allocate_shared<Storage>(Pooled<Storage>{}, bytes)
// Not here: the elements of Arrays (allocator.h).
#pragma once

#include <cstddef>
#include <limits>
#include <new>

namespace tandem {

namespace detail {
/// `bytes` bytes aligned as operator new aligns them; to be freed with the same number.
void* allocate_piece(std::size_t bytes);
void free_piece(void* piece, std::size_t bytes) noexcept;
}  // namespace detail

template <class T>
class Pooled {
 public:
  using value_type = T;
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  Pooled() = default;
  template <class U>
  Pooled(const Pooled<U>&) noexcept {}

  T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(detail::allocate_piece(n * sizeof(T)));
  }
  void deallocate(T* pieces, std::size_t n) noexcept { detail::free_piece(pieces, n * sizeof(T)); }

  template <class U>
  bool operator==(const Pooled<U>&) const noexcept {
    return true;
  }
};

}  // namespace tandem
