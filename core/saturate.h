// Sums and products of counts that stop at the largest number instead of wrapping: for numbers of a command line, where
// "more than there is" is what a user means by 10^18, and for sizes on their way to Shape::count() and Array::empty,
// which refuse what is too large.
#pragma once

#include <cstdint>
#include <limits>

namespace tandem {

/// a + b for numbers that are not negative; the largest number where that is larger.
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t y = 0;
  return __builtin_add_overflow(a, b, &y) ? std::numeric_limits<std::int64_t>::max() : y;
}

/// a * b, likewise.
constexpr std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t y = 0;
  return __builtin_mul_overflow(a, b, &y) ? std::numeric_limits<std::int64_t>::max() : y;
}

}  // namespace tandem
