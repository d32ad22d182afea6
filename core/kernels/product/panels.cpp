// Tiles of rows by 16 columns, held in registers while k runs: 20 rows with 32 registers of 16 lanes, 6 with 16 of 8
// lanes. k goes in chunks, so that a chunk of the panel and of the rows stays in the first cache. See panels.h.
#include <tandem/core/kernels/product/panels.h>

#include <algorithm>

#include <tandem/core/dtype.h>
#include <tandem/core/kernels/pack.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kChunk = 256;
/// A panel comes from a far cache, line by line: so many lines ahead.
constexpr std::int64_t kAhead = 24;

template <int kLanes>
inline constexpr int kTileRows = kLanes == 16 ? 20 : 6;

/// y[r][16] (+)= sum_k x[r, k] panel[k][16] for r < kRows.
template <int kLanes, int kRows>
TANDEM_INLINE void multiply_tile(const float* x, std::int64_t x_step, const float* panel, std::int64_t K, bool add,
                                 float* y) {
  constexpr int kPacks = kPanelColumns / kLanes;
  Pack<kLanes> sums[kRows][kPacks];
#pragma GCC unroll 20
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int p = 0; p < kPacks; ++p)
      sums[r][p] = add ? load<kLanes>(y + r * kPanelColumns + p * kLanes) : Pack<kLanes>{};
  for (std::int64_t k = 0; k < K; ++k, panel += kPanelColumns) {
    Pack<kLanes> w[kPacks];
#pragma GCC unroll 2
    for (int p = 0; p < kPacks; ++p) w[p] = load<kLanes>(panel + p * kLanes);
    __builtin_prefetch(panel + kAhead * kPanelColumns);
#pragma GCC unroll 20
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
      for (int p = 0; p < kPacks; ++p) sums[r][p] += x[r * x_step + k] * w[p];
  }
#pragma GCC unroll 20
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int p = 0; p < kPacks; ++p) store<kLanes>(y + r * kPanelColumns + p * kLanes, sums[r][p]);
}

/// multiply_tile for a number of rows that is known when it runs, 1 .. kRows.
template <int kLanes, int kRows>
TANDEM_INLINE void multiply_rows(std::int64_t rows, const float* x, std::int64_t x_step, const float* panel,
                                 std::int64_t K, bool add, float* y) {
  if constexpr (kRows > 0) {
    if (rows == kRows)
      multiply_tile<kLanes, kRows>(x, x_step, panel, K, add, y);
    else
      multiply_rows<kLanes, kRows - 1>(rows, x, x_step, panel, K, add, y);
  }
}

template <int kLanes>
TANDEM_INLINE void multiply_panel_in(const float* x, std::int64_t x_step, const float* panel, std::int64_t M,
                                     std::int64_t K, float* y) {
  const std::int64_t tiles = (M + kTileRows<kLanes> - 1) / kTileRows<kLanes>;
  for (std::int64_t k = 0; k == 0 || k < K; k += kChunk) {
    const std::int64_t depth = K - k < kChunk ? K - k : kChunk;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {  // rows are shared evenly: 21 are 10 + 11
      const std::int64_t begin = M * tile / tiles, rows = M * (tile + 1) / tiles - begin;
      multiply_rows<kLanes, kTileRows<kLanes>>(rows, x + begin * x_step + k, x_step, panel + k * kPanelColumns, depth,
                                               k > 0, y + begin * kPanelColumns);
    }
  }
}

}  // namespace

template <class E>
void pack_panel(PanelSourceOf<E> w, std::int64_t K, std::int64_t columns, float* panel) {
  if (columns < kPanelColumns) std::fill_n(panel, K * kPanelColumns, 0.0F);
  if (w.n_step == 1) {
    for (std::int64_t k = 0; k < K; ++k) std::copy_n(w.data + k * w.k_step, columns, panel + k * kPanelColumns);
    return;
  }
  for (std::int64_t j = 0; j < columns; ++j) {
    const E* from = w.data + j * w.n_step;
    for (std::int64_t k = 0; k < K; ++k) panel[k * kPanelColumns + j] = static_cast<float>(from[k * w.k_step]);
  }
}

template void pack_panel(PanelSourceOf<float>, std::int64_t, std::int64_t, float*);
template void pack_panel(PanelSourceOf<bfloat16>, std::int64_t, std::int64_t, float*);
template void pack_panel(PanelSourceOf<float16>, std::int64_t, std::int64_t, float*);

void multiply_panel(const float* x, std::int64_t x_step, const float* panel, std::int64_t M, std::int64_t K, float* y) {
  with_packs([=](auto lanes) __attribute__((always_inline)) { multiply_panel_in<lanes()>(x, x_step, panel, M, K, y); });
}

}  // namespace tandem::kernels
