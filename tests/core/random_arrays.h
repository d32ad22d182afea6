// For tests that hold fast kernels against their naive twins: random Arrays in every kind of memory order, and errors.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>

namespace tandem::testing {

enum class Memory { row_major, channels_last, sliced, transposed, expanded };
inline constexpr Memory kMemories[] = {Memory::row_major, Memory::channels_last, Memory::sliced, Memory::transposed,
                                       Memory::expanded};

/// Values of [-3, 3) in an Array of this shape, in this memory order (as far as the rank allows).
inline Array random_array(Generator& g, const Shape& shape, Memory memory = Memory::row_major) {
  const auto fresh = [&](const Shape& s, Layout layout = Layout::row_major) {
    Array x = Array::empty(s, DType::f32, layout);
    g.fill_uniform(x, -3, 3);
    return x;
  };
  if (shape.rank() == 0) return fresh(shape);
  switch (memory) {
    case Memory::row_major:
      return fresh(shape);
    case Memory::channels_last:
      return fresh(shape, Layout::channels_last);
    case Memory::sliced: {
      Shape wider = shape;
      for (int d = 0; d < shape.rank(); ++d) wider[d] = 2 * shape[d] + 1;
      Array x = fresh(wider);
      for (int d = 0; d < shape.rank(); ++d) x = x.slice(d, 1, 2 * shape[d] + 1, 2);
      return x;
    }
    case Memory::transposed: {
      Shape swapped = shape;
      std::swap(swapped[0], swapped[-1]);
      return fresh(swapped).transpose(0, -1);
    }
    case Memory::expanded:
      break;
  }
  Shape narrow = shape;
  narrow[static_cast<int>(g.below(shape.rank()))] = 1;
  return fresh(narrow).expand(shape);
}

/// Sizes of 0, 1, odd and larger ones, ranks 0 to 5.
inline Shape random_shape(Generator& g) {
  static constexpr std::int64_t kSizes[] = {1, 1, 2, 3, 5, 7, 8, 17};
  Shape shape;
  const std::int64_t rank = g.below(6);
  for (std::int64_t d = 0; d < rank; ++d) shape.push_back(g.below(30) == 0 ? 0 : kSizes[g.below(8)]);
  return shape;
}

inline Memory random_memory(Generator& g) { return kMemories[g.below(5)]; }

/// Shapes that are worked on by several threads.
inline const std::vector<Shape>& large_shapes() {
  static const std::vector<Shape> shapes{{100003}, {333, 257}, {8, 16, 33, 31}, {2, 3, 150, 151}};
  return shapes;
}

/// The largest |x - y| / (1 + |y|); equal infinities and two NaN differ by 0. Infinite when the shapes differ.
inline double worst_error(const Array& x, const Array& y) {
  if (!(x.shape() == y.shape())) return INFINITY;
  const std::vector<double> a = x.to_vector<double>(), b = y.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double error = std::fabs(a[i] - b[i]) / (1 + std::fabs(b[i]));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

/// what() of the Error that f throws.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// The largest error against the largest number: rounding of f32 grows with the size of sums. Infinite for another
/// shape, or where `fast` is not finite.
inline double scaled_error(const Array& fast, const Array& truth) {
  const std::vector<double> a = fast.to_vector<double>(), b = truth.to_vector<double>();
  if (!(fast.shape() == truth.shape())) return INFINITY;
  double worst = 0, size = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::isfinite(a[i]) ? std::max(worst, std::fabs(a[i] - b[i])) : INFINITY;
    size = std::max(size, std::fabs(b[i]));
  }
  return worst / size;
}

}  // namespace tandem::testing
