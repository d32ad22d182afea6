// The inner loops of f32 reductions, over the two innermost dims of a plan:
//   strips    the innermost dim is reduced: 32 partial results side by side over a row
//   columns   the innermost dim is kept: rows added to a block of columns (bias gradients in channels-last)
// Partial sums are f32 over at most 1024 elements of a row, 32 a lane, or 32 rows, and double above, so that the error
// does not grow with the size. Private to reduce.cpp and softmax.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/reduce_plan.h>
#include <tandem/core/kernels/wrapping.h>

namespace tandem::kernels::detail {

struct Sum {
  using Total = double;
  static constexpr float kIdentity = 0;
  template <class T>
  TANDEM_INLINE static T combine(T a, T b) {
    return wrapping::add(a, b);
  }
};
// b != b: NaN wins, as in PyTorch.
struct Max {
  using Total = float;
  static constexpr float kIdentity = -std::numeric_limits<float>::infinity();
  template <class T>
  TANDEM_INLINE static T combine(T a, T b) {
    return b > a || b != b ? b : a;
  }
};
struct Min {
  using Total = float;
  static constexpr float kIdentity = std::numeric_limits<float>::infinity();
  template <class T>
  TANDEM_INLINE static T combine(T a, T b) {
    return b < a || b != b ? b : a;
  }
};

/// Rows of n numbers that are worth a thread, where a row is read a few times.
inline std::int64_t row_grain(std::int64_t n) { return std::max<std::int64_t>(1, 8192 / n); }

constexpr std::int64_t kLanes = 32;
constexpr std::int64_t kStripBlock = 1024;
constexpr std::int64_t kRowBlock = 32;

// The reduction of n <= kStripBlock elements.
template <class Op>
TANDEM_INLINE float strip_block(const float* x, std::int64_t n, std::int64_t stride) {
  if (n < kLanes) {
    float total = Op::kIdentity;
    for (std::int64_t i = 0; i < n; ++i) total = Op::combine(total, x[i * stride]);
    return total;
  }
  float lanes[kLanes];
  for (float& lane : lanes) lane = Op::kIdentity;
  std::int64_t i = 0;
  if (stride == 1) {
    for (; i + kLanes <= n; i += kLanes) {
      for (std::int64_t j = 0; j < kLanes; ++j) lanes[j] = Op::combine(lanes[j], x[i + j]);
    }
  }
  for (; i < n; ++i) lanes[i % kLanes] = Op::combine(lanes[i % kLanes], x[i * stride]);
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::int64_t j = 0; j < width; ++j) lanes[j] = Op::combine(lanes[j], lanes[j + width]);
  }
  return lanes[0];
}

// The reduction of n elements, a stride apart, and of `total`.
template <class Op>
TANDEM_INLINE typename Op::Total strip(const float* x, std::int64_t n, std::int64_t stride, typename Op::Total total) {
  for (std::int64_t i = 0; i < n; i += kStripBlock) {
    const float block = strip_block<Op>(x + i * stride, std::min(kStripBlock, n - i), stride);
    total = Op::combine(total, static_cast<typename Op::Total>(block));
  }
  return total;
}

// y[r] = combine(y[r], x[r, :]): `row.size` elements each for every r < column.size.
template <class Op>
TANDEM_TARGETS void strips(const float* x, const ReduceDim row, const ReduceDim column, typename Op::Total* y) {
  for (std::int64_t r = 0; r < column.size; ++r) {
    typename Op::Total& total = y[r * column.y_stride];
    total = strip<Op>(x + r * column.x_stride, row.size, row.x_stride, total);
  }
}

// `width` neighbouring columns (a constant, so that they stay in registers) over `rows` rows.
template <class Op, std::int64_t width>
TANDEM_INLINE void column_block(const float* x, std::int64_t rows, std::int64_t row_stride, typename Op::Total* y,
                                std::int64_t y_stride) {
  using Total = typename Op::Total;
  float block[width];
  for (float& v : block) v = Op::kIdentity;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < width; ++j) block[j] = Op::combine(block[j], x[r * row_stride + j]);
  }
  for (std::int64_t j = 0; j < width; ++j) y[j * y_stride] = Op::combine(y[j * y_stride], static_cast<Total>(block[j]));
}

// y[c] = combine(y[c], x[:, c]) for every c < column.size over row.size rows, in blocks of kRowBlock.
template <class Op>
TANDEM_TARGETS void columns(const float* x, const ReduceDim column, const ReduceDim row, typename Op::Total* y) {
  for (std::int64_t r = 0; r < row.size; r += kRowBlock) {
    const std::int64_t rows = std::min(kRowBlock, row.size - r);
    const float* p = x + r * row.x_stride;
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
