// Indices of x(i, j, ...): numbers, slices and `all` (core/dims.h), as in x(slice(0, 5), all, -1).
// Not here: what they do (array_ops.h).
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

#include <tandem/core/dims.h>

namespace tandem {

/// The end of a slice that goes to the end of its dim.
inline constexpr std::int64_t kToEnd = std::numeric_limits<std::int64_t>::max();

/// Elements begin, begin + step, ... below end; negative begin and end count from the back.
struct Slice {
  std::int64_t begin = 0, end = kToEnd, step = 1;
};

/// slice(2) is 2 to the end, slice(0, 5) the first five, slice(0, kToEnd, 2) every second.
constexpr Slice slice(std::int64_t begin, std::int64_t end = kToEnd, std::int64_t step = 1) {
  return {begin, end, step};
}

/// One dim's part: a number, after which the dim disappears, or a slice.
class Index {
 public:
  template <std::integral T>
  constexpr Index(T element) : slice_{static_cast<std::int64_t>(element), 0, 0}, is_element_(true) {}
  constexpr Index(Slice part) : slice_(part) {}
  constexpr Index(All (*)()) {}  ///< `all`

  bool is_element() const { return is_element_; }
  std::int64_t element() const { return slice_.begin; }
  const Slice& slice() const { return slice_; }

 private:
  Slice slice_;
  bool is_element_ = false;
};

}  // namespace tandem
