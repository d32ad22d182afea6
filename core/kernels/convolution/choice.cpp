// What tests/benchmarks/convolution_benchmark.cpp measures, and what follows from it. See choice.h.
#include <tandem/core/kernels/convolution/choice.h>

#include <algorithm>

#include <tandem/core/kernels/convolution/winograd.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

// 3x3, stride 1, padding 1, as many filters as channels; ms of one core (Xeon, Sapphire Rapids), oneDNN 2.6.3 /
// Winograd:
//
//                        AVX-512, 16 lanes                 AVX2 (DNNL_MAX_CPU_ISA=AVX2), 8 lanes
//   batch 128        y           dx          dw            y           dw
//   16, 32x32        5.0/5.4     -           5.2/4.2       9.1/5.6     8.6/5.8
//   32, 16x16        5.3/2.7     6.4/2.9     3.8/2.3       7.0/3.9     7.6/3.9
//   64, 8x8          3.7/1.7     -           3.9/1.6       7.0/3.0     10.3/3.7
//   64, 32x32        73/27       -           70/38         114/40      122/41
//   128, 16x16       60/30       61/27       60/25
//   256, 8x8         58/27       70/28       63/32
//   512, 4x4         94/35       -           87/34         128/48      153/44
//   batch 8
//   64, 8x8          0.22/0.13   -           0.31/0.14
//   256, 8x8         3.8/3.1     -           4.5/2.6       32 tiles
//   512, 4x4         8.3/10.6    -           12.6/14.5     8 tiles: the transform of the weights is more than the sums

/// The fewest channels, and filters, with which Winograd's algorithm is the faster one.
struct Fewest {
  std::int64_t forward, input_grad, weight_grad;
};

Fewest fewest_channels() {
  const std::string set = instruction_set();
  constexpr std::int64_t kNever = std::int64_t{1} << 62;
  if (set == "avx512") return {32, 32, 16};
  if (set == "avx2") return {16, 16, 16};
  return {kNever, kNever, kNever};
}

constexpr std::int64_t kFewestTiles = 32;

}  // namespace

bool is_winograd(Pass pass, const Shape& x, const Shape& w, const Conv2dOptions& o) {
  if (!can_winograd(w, o)) return false;
  static const Fewest table = fewest_channels();
  const std::int64_t fewest = pass == Pass::forward      ? table.forward
                              : pass == Pass::input_grad ? table.input_grad
                                                         : table.weight_grad;
  const auto along = [](std::int64_t size, std::int64_t padding) {
    return (size + 2 * padding - 2 + tiles::kOutputs - 1) / tiles::kOutputs;
  };
  return std::min(x[1], w[0]) >= fewest && x[0] * along(x[2], o.padding.h) * along(x[3], o.padding.w) >= kFewestTiles;
}

}  // namespace tandem::kernels
