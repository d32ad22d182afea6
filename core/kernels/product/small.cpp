// Tiles of four rows by eight columns whose sums stay in registers. The columns are read from a panel [k][width]: b
// itself where it lies so, else a copy on the stack. With few columns the product is turned round: y^T = b^T a^T.
// Compiled with -ffp-contract=off: the bits of the naive twin. See small.h.
#include <tandem/core/kernels/product/small.h>

#include <algorithm>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/pack.h>

namespace tandem::kernels {

namespace {

constexpr int kEight = 8;
using Eight = Pack<kEight>;

using reference::MatrixView;

constexpr std::int64_t kTileRows = 4;
constexpr std::int64_t kFewColumns = 4;  // below, rows are the vectors

/// Rows of `step` floats, a multiple of eight of them to be read.
struct Panel {
  const float* data;
  std::int64_t step;
};

/// sums[r] += sum_k a[r, k] panel[k][0 .. 8).
template <std::int64_t rows>
TANDEM_INLINE void add_tile(MatrixView<const float> a, Panel panel, std::int64_t k, Eight* sums) {
  Eight sum[rows];
  for (std::int64_t r = 0; r < rows; ++r) sum[r] = sums[r];
  for (std::int64_t l = 0; l < k; ++l) {
    const Eight column = load<kEight>(panel.data + l * panel.step);
    for (std::int64_t r = 0; r < rows; ++r) sum[r] += a.data[r * a.row + l * a.column] * column;
  }
  for (std::int64_t r = 0; r < rows; ++r) sums[r] = sum[r];
}

/// The first `n` of eight floats that lie `step` apart.
TANDEM_INLINE void store_some(float* to, std::int64_t step, const Eight& value, std::int64_t n) {
  alignas(32) float all[kEight];
  store<kEight>(all, value);
  for (std::int64_t c = 0; c < n; ++c) to[c * step] = all[c];
}

/// What the sums of columns j .. j + n of any row begin with, or of row `i` where rows have a bias.
TANDEM_INLINE Eight start_of(MatrixView<const float> bias, std::int64_t i, std::int64_t j, std::int64_t n) {
  if (bias.data == nullptr) return Eight{};
  if (bias.column == 0) return Eight{} + bias.data[i * bias.row];
  alignas(32) float all[kEight] = {};
  for (std::int64_t c = 0; c < n; ++c) all[c] = bias.data[(j + c) * bias.column];
  return load<kEight>(all);
}

/// y (i, j) = bias (i, j) + sum_k a (i, k) panel[k][j] for i < m, j < n; rows of the panel are n rounded up to eight.
TANDEM_TARGETS __attribute__((flatten)) void multiply_panel(MatrixView<const float> a, Panel panel, MatrixView<float> y,
                                                            std::int64_t m, std::int64_t n, std::int64_t k,
                                                            MatrixView<const float> bias) {
  Eight sums[kTileRows];
  for (std::int64_t j = 0; j < n; j += kEight) {
    const std::int64_t columns = std::min<std::int64_t>(kEight, n - j);
    const bool is_row = y.column == 1 && columns == kEight;
    Eight start = start_of(bias, 0, j, columns);
    for (std::int64_t i = 0; i < m; i += kTileRows) {
      const std::int64_t rows = std::min(kTileRows, m - i);
      for (std::int64_t r = 0; r < rows; ++r) {
        if (bias.row != 0) start = start_of(bias, i + r, j, columns);
        sums[r] = start;
      }
      const MatrixView<const float> left{a.data + i * a.row, a.row, a.column};
      const Panel right{panel.data + j, panel.step};
      if (rows == 4) {
        add_tile<4>(left, right, k, sums);
      } else if (rows == 3) {
        add_tile<3>(left, right, k, sums);
      } else if (rows == 2) {
        add_tile<2>(left, right, k, sums);
      } else {
        add_tile<1>(left, right, k, sums);
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        float* to = y.data + (i + r) * y.row + j * y.column;
        if (is_row) {
          store<kEight>(to, sums[r]);
        } else {
          store_some(to, y.column, sums[r], columns);
        }
      }
    }
  }
}

/// b [k, n] in rows of `step` floats, n rounded up to eight, zeros behind n.
void pack(MatrixView<const float> b, std::int64_t k, std::int64_t n, float* panel, std::int64_t step) {
  for (std::int64_t l = 0; l < k; ++l) {
    float* row = panel + l * step;
    const float* from = b.data + l * b.row;
    for (std::int64_t j = 0; j < n; ++j) row[j] = from[j * b.column];
    for (std::int64_t j = n; j < step; ++j) row[j] = 0;
  }
}

}  // namespace

void multiply_small(MatrixView<const float> a, MatrixView<const float> b, float* y, std::int64_t m, std::int64_t n,
                    std::int64_t k, const float* bias, std::int64_t bias_step) {
  if (n < kFewColumns && m < kFewColumns) {
    return reference::matmul<float>(a, b, {y, n, 1}, m, n, k, bias, bias_step);
  }
  MatrixView<float> to{y, n, 1};
  MatrixView<const float> start{bias, 0, bias == nullptr ? 0 : bias_step};
  if (n < kFewColumns) {
    std::swap(m, n);
    std::swap(a, b);
    for (MatrixView<const float>* turned : {&a, &b, &start}) std::swap(turned->row, turned->column);
    std::swap(to.row, to.column);
  }
  if (b.column == 1 && n % kEight == 0) return multiply_panel(a, {b.data, b.row}, to, m, n, k, start);
  // n >= 4, so that eights are at most twice as many.
  alignas(64) float panel[2 * kSmallProduct];
  const std::int64_t step = (n + kEight - 1) / kEight * kEight;
  pack(b, k, n, panel, step);
  multiply_panel(a, {panel, step}, to, m, n, k, start);
}

}  // namespace tandem::kernels
