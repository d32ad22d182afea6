// What tests/benchmarks/convolution_benchmark.cpp measures, and what follows from it. See choice.h.
#include <tandem/core/kernels/convolution/choice.h>

#include <algorithm>

#include <tandem/core/kernels/convolution/phases.h>
#include <tandem/core/kernels/convolution/unfolding.h>
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

// Others; ms of two cores (Zen 3, AVX2), oneDNN 2.6.3 / unfolded / for dx by the stride's phases; batch 128 unless
// said:
//
//                            y           dx               dw
//   3 > 32, 32x32, k4 s2     0.69/1.4    4.7/1.5/1.7      1.1/1.6     few channels: dx
//   3 > 64, 32x32, k3 s1     3.7/7.2     20/8.3/23        8.6/8.5
//   3 > 64, 32x32, k5 s1     7.0/11      39/13/53         14/17
//   1 > 32, 28x28, k5 s1     0.61/1.4    6.6/2.4/12       0.71/1.9    batch 64
//   3 > 16, 32x32, k3 s1     1.0/3.2     3.1/4.0/-        2.0/4.1     16 filters: never
//   16 > 32, 32x32, k3 s2    2.0/2.6     2.8/3.6/4.3      4.5/4.0     large windows: dw; with strides y
//   32 > 64, 16x16, k3 s2    3.2/2.1     2.3/2.8/2.6      4.1/2.9
//   32 > 64, 16x16, k4 s2    4.7/4.2     5.0/5.6/5.0      5.6/4.2
//   64 > 128, 8x8, k3 s2     3.6/2.1     2.4/2.4/2.4      3.8/2.7     many channels, strides: dx by phases
//   64 > 128, 8x8, k4 s2     4.4/3.9     5.4/5.2/3.6      6.3/4.7
//   64 > 128, 32x32, k3 s2   68/34       53/43/35         68/42
//   256 > 512, 8x8, k3 s2    59/35       47/43/37         65/44
//   3 > 64, 224x224, k7 s2   21/38       52/50/190        61/45       batch 16
//   64 > 128, 32x32, k1 s2   4.2/5.4     5.1/7.5/6.7      6.8/6.0     1x1: oneDNN
//   256 > 64, 56x56, k1 s1   13/16       13/27/-          19/25       batch 16
// Not measured with AVX-512: oneDNN there.

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
constexpr std::int64_t kFewestRows = 256, kFewestImages = 8;  // of products over unfolded images

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

/// What is not Winograd's.
Algorithm by_products(Pass pass, const Shape& x, const Shape& w, const Conv2dOptions& o) {
  static const bool is_measured = instruction_set() == "avx2";
  const std::int64_t K = w[0], C = w[1], window = w[2] * w[3];
  const bool is_strided = o.stride.h * o.stride.w > 1;
  if (!is_measured || window == 1) return Algorithm::onednn;
  const Shape y = conv2d_shape(x, w, o);
  const bool are_many = y[0] * y[2] * y[3] >= kFewestRows;
  if (pass == Pass::input_grad) {
    if (x[0] < kFewestImages) return Algorithm::onednn;
    if (can_fold(o) && C < 8 && K >= 32) return Algorithm::unfolded;
    return can_phase(o) && is_strided && are_many && C >= 64 && K >= 128 ? Algorithm::phases : Algorithm::onednn;
  }
  const bool pays = pass == Pass::weight_grad ? window * C >= 128 : C >= 32 && is_strided;
  return can_unfold(w, o) && are_many && pays ? Algorithm::unfolded : Algorithm::onednn;
}

}  // namespace

Algorithm choose_convolution(Pass pass, const Shape& x, const Shape& w, const Conv2dOptions& options) {
  if (is_winograd(pass, x, w, options)) return Algorithm::winograd;
  return by_products(pass, x, w, options);
}

}  // namespace tandem::kernels
