// Indices of x(i, j, ...): numbers, ranges and `all`, as in x(slice(0, 5), all, -1).
// Not here: what they do (array_ops.h).
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

namespace tandem {

/// The end of a range that goes to the end of its dim.
inline constexpr std::int64_t kToEnd = std::numeric_limits<std::int64_t>::max();

/// Elements begin, begin + step, ... below end; negative begin and end count from the back.
struct Range {
  std::int64_t begin = 0, end = kToEnd, step = 1;
};

/// slice(2) is 2 to the end, slice(0, 5) the first five, slice(0, kToEnd, 2) every second.
constexpr Range slice(std::int64_t begin, std::int64_t end = kToEnd, std::int64_t step = 1) {
  return {begin, end, step};
}

/// The whole dim; given by its name, as std::endl is: x(all, 0).
constexpr Range all() { return {}; }

/// One dim's part: a number, after which the dim disappears, or a range.
class Index {
 public:
  template <std::integral T>
  constexpr Index(T element) : range_{static_cast<std::int64_t>(element), 0, 0}, is_element_(true) {}
  constexpr Index(Range range) : range_(range) {}
  constexpr Index(Range (*whole)()) : range_(whole()) {}

  bool is_element() const { return is_element_; }
  std::int64_t element() const { return range_.begin; }
  const Range& range() const { return range_; }

 private:
  Range range_;
  bool is_element_ = false;
};

}  // namespace tandem
