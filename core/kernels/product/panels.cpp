// Tiles of up to 6 rows by 16 columns, held in registers while k runs; k goes in chunks, so that a chunk of the panel
// stays in the first cache for all tiles. See panels.h.
#include <tandem/core/kernels/product/panels.h>

#include <algorithm>

#include <tandem/core/dispatch.h>
#include <tandem/core/dtype.h>
#include <tandem/core/kernels/vector_eight.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kTileRows = 6, kChunk = 384;

template <int kRows>
TANDEM_INLINE void multiply_tile(const float* x, std::int64_t x_step, const float* panel, std::int64_t K, bool add,
                                 float* y) {
  Eight left[kRows], right[kRows];
  for (int r = 0; r < kRows; ++r) {
    left[r] = add ? load(y + r * kPanelColumns) : Eight{};
    right[r] = add ? load(y + r * kPanelColumns + kEight) : Eight{};
  }
  for (std::int64_t k = 0; k < K; ++k, panel += kPanelColumns) {
    const Eight p = load(panel), q = load(panel + kEight);
    for (int r = 0; r < kRows; ++r) {
      const float v = x[r * x_step + k];
      left[r] += v * p;
      right[r] += v * q;
    }
  }
  for (int r = 0; r < kRows; ++r) {
    store(y + r * kPanelColumns, left[r]);
    store(y + r * kPanelColumns + kEight, right[r]);
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

TANDEM_TARGETS void multiply_panel(const float* x, std::int64_t x_step, const float* panel, std::int64_t M,
                                   std::int64_t K, float* y) {
  const std::int64_t tiles = (M + kTileRows - 1) / kTileRows;
  for (std::int64_t k = 0; k == 0 || k < K; k += kChunk) {
    const std::int64_t depth = std::min(kChunk, K - k);
    const float* part = panel + k * kPanelColumns;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {  // rows are shared evenly: 20 are 5 + 5 + 5 + 5
      const std::int64_t begin = M * tile / tiles, rows = M * (tile + 1) / tiles - begin;
      const float* from = x + begin * x_step + k;
      float* to = y + begin * kPanelColumns;
      switch (rows) {
        case 1:
          multiply_tile<1>(from, x_step, part, depth, k > 0, to);
          break;
        case 2:
          multiply_tile<2>(from, x_step, part, depth, k > 0, to);
          break;
        case 3:
          multiply_tile<3>(from, x_step, part, depth, k > 0, to);
          break;
        case 4:
          multiply_tile<4>(from, x_step, part, depth, k > 0, to);
          break;
        case 5:
          multiply_tile<5>(from, x_step, part, depth, k > 0, to);
          break;
        default:
          multiply_tile<6>(from, x_step, part, depth, k > 0, to);
      }
    }
  }
}

}  // namespace tandem::kernels
