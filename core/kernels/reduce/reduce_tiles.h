// The inner loops of reductions, over the two innermost dims of a plan, from elements X of any dtype in the type T that
// they are computed in:
//   strips    the innermost dim is reduced: 32 partial results side by side over a row
//   columns   the innermost dim is kept: rows added to a block of columns (bias gradients in channels-last)
// Partial sums of f32 are f32 over at most 1024 elements of a row (32 to a lane) or 32 rows, and double above, so that
// the error does not grow with the size. Private to reduce.cpp, softmax.cpp and layer_norm.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <tandem/core/convert.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/dtype.h>
#include <tandem/core/kernels/elementwise/wrapping.h>

namespace tandem::kernels::detail {

/// A dim of a tile. Strides in elements; y_stride 0 where it is reduced.
struct ReduceDim {
  std::int64_t size = 1;
  std::int64_t x_stride = 0, y_stride = 0;
};

// An operation over elements of T (float, double, int64): the type of its totals, and what it begins with.
struct Sum {
  template <class T>
  using Total = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  template <class T>
  static constexpr T kIdentity = 0;
  template <class T>
  TANDEM_INLINE static T combine(T a, T b) {
    return wrapping::add(a, b);
  }
};
// b != b: NaN wins, as in PyTorch.
struct Max {
  template <class T>
  using Total = T;
  template <class T>
  static constexpr T kIdentity = std::is_integral_v<T> ? std::numeric_limits<T>::lowest()
                                                       : -std::numeric_limits<T>::infinity();
  template <class T>
  TANDEM_INLINE static T combine(T a, T b) {
    return b > a || b != b ? b : a;
  }
};
struct Min {
  template <class T>
  using Total = T;
  template <class T>
  static constexpr T kIdentity = std::is_integral_v<T> ? std::numeric_limits<T>::max()
                                                       : std::numeric_limits<T>::infinity();
  template <class T>
  TANDEM_INLINE static T combine(T a, T b) {
    return b < a || b != b ? b : a;
  }
};

template <class Op, class T>
using TotalOf = typename Op::template Total<T>;

/// What elements of X are computed in.
template <class X>
using WorkOf = std::conditional_t<std::is_same_v<X, double>, double,
                                  std::conditional_t<is_floating(dtype_of<X>), float, std::int64_t>>;

/// Rows of n numbers that are worth a thread, where a row is read a few times.
inline std::int64_t row_grain(std::int64_t n) { return std::max<std::int64_t>(1, 8192 / n); }

/// A row as floats: itself, or in `scratch`.
template <class E>
TANDEM_INLINE const float* as_floats(const E* x, float* scratch, std::int64_t n) {
  if constexpr (std::is_same_v<E, float>) return x;
  for (std::int64_t i = 0; i < n; ++i) scratch[i] = static_cast<float>(x[i]);
  return scratch;
}

constexpr std::int64_t kLanes = 32;
constexpr std::int64_t kStripBlock = 1024;
constexpr std::int64_t kRowBlock = 32;

// The reduction of n <= kStripBlock elements.
template <class Op, class X, class T = WorkOf<X>>
TANDEM_INLINE T strip_block(const X* x, std::int64_t n, std::int64_t stride) {
  if (n < kLanes) {
    T total = Op::template kIdentity<T>;
    for (std::int64_t i = 0; i < n; ++i) total = Op::combine(total, convert_number<T>(x[i * stride]));
    return total;
  }
  T lanes[kLanes];
  for (T& lane : lanes) lane = Op::template kIdentity<T>;
  std::int64_t i = 0;
  if (stride == 1) {
    for (; i + kLanes <= n; i += kLanes) {
      for (std::int64_t j = 0; j < kLanes; ++j) lanes[j] = Op::combine(lanes[j], convert_number<T>(x[i + j]));
    }
  }
  for (; i < n; ++i) lanes[i % kLanes] = Op::combine(lanes[i % kLanes], convert_number<T>(x[i * stride]));
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::int64_t j = 0; j < width; ++j) lanes[j] = Op::combine(lanes[j], lanes[j + width]);
  }
  return lanes[0];
}

// The reduction of n elements, a stride apart, and of `total`.
template <class Op, class X, class T = WorkOf<X>>
TANDEM_INLINE TotalOf<Op, T> strip(const X* x, std::int64_t n, std::int64_t stride, TotalOf<Op, T> total) {
  for (std::int64_t i = 0; i < n; i += kStripBlock) {
    const T block = strip_block<Op>(x + i * stride, std::min(kStripBlock, n - i), stride);
    total = Op::combine(total, static_cast<TotalOf<Op, T>>(block));
  }
  return total;
}

// y[r] = combine(y[r], x[r, :]): `row.size` elements each for every r < column.size.
template <class Op, class X, class T = WorkOf<X>>
TANDEM_TARGETS void strips(const X* x, const ReduceDim row, const ReduceDim column, TotalOf<Op, T>* y) {
  for (std::int64_t r = 0; r < column.size; ++r) {
    TotalOf<Op, T>& total = y[r * column.y_stride];
    total = strip<Op>(x + r * column.x_stride, row.size, row.x_stride, total);
  }
}

// `width` neighbouring columns (a constant, so that they stay in registers) over `rows` rows.
template <class Op, std::int64_t width, class X, class T = WorkOf<X>>
TANDEM_INLINE void column_block(const X* x, std::int64_t rows, std::int64_t row_stride, TotalOf<Op, T>* y,
                                std::int64_t y_stride) {
  using Total = TotalOf<Op, T>;
  if constexpr (std::is_integral_v<T>) {  // gcc 12 loses rows of i32 when it widens them into such a block
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t j = 0; j < width; ++j)
        y[j * y_stride] = Op::combine(y[j * y_stride], convert_number<T>(x[r * row_stride + j]));
    }
    return;
  }
  T block[width];
  for (T& v : block) v = Op::template kIdentity<T>;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < width; ++j) block[j] = Op::combine(block[j], convert_number<T>(x[r * row_stride + j]));
  }
  for (std::int64_t j = 0; j < width; ++j) y[j * y_stride] = Op::combine(y[j * y_stride], static_cast<Total>(block[j]));
}

// y[c] = combine(y[c], x[:, c]) for every c < column.size over row.size rows, in blocks of kRowBlock.
template <class Op, class X, class T = WorkOf<X>>
TANDEM_TARGETS void columns(const X* x, const ReduceDim column, const ReduceDim row, TotalOf<Op, T>* y) {
  for (std::int64_t r = 0; r < row.size; r += kRowBlock) {
    const std::int64_t rows = std::min(kRowBlock, row.size - r);
    const X* p = x + r * row.x_stride;
    std::int64_t c = 0;
    if (column.x_stride == 1) {
      for (; c + 32 <= column.size; c += 32)
        column_block<Op, 32>(p + c, rows, row.x_stride, y + c * column.y_stride, column.y_stride);
      for (; c + 8 <= column.size; c += 8)
        column_block<Op, 8>(p + c, rows, row.x_stride, y + c * column.y_stride, column.y_stride);
    }
    for (; c < column.size; ++c)
      column_block<Op, 1>(p + c * column.x_stride, rows, row.x_stride, y + c * column.y_stride, column.y_stride);
  }
}

}  // namespace tandem::kernels::detail
