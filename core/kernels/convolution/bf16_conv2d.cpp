// Who computes a bf16 convolution: oneDNN; for the weight gradient of small maps a product of unfolded windows; f32
// where oneDNN has nothing or the work is tiny. See bf16_conv2d.h.
#include <tandem/core/kernels/convolution/bf16_conv2d.h>

#include <tandem/core/kernels/convolution/windows.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/core/onednn/adapter.h>
#include <tandem/core/onednn/convolution.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

// Below this many multiply-adds the call of a primitive costs more than the work.
constexpr std::int64_t kTinyProducts = 2048;

// Weight gradients of 3x3, batch 128, ms: oneDNN's primitive / unfold + product, on two threads of oneDNN 2.6.3
// (tests/benchmarks/bf16_benchmark.cpp; AVX512_BF16 is a Xeon without AMX, whose f32 takes about half of its bf16).
//   channels, map            AMX          AVX512_BF16
//   512 -> 512, 4x4       36   / 6.7       70 / 104      AMX: unfolded up to 8x8
//   256 -> 512, 4x4       26   / 3.4       57 / 58       AVX512_BF16: never, as much is lost as won
//   256 -> 256, 8x8       11.3 / 6.5       81 / 84
//   128 -> 256, 8x8        8.0 / 3.4       41 / 33
//    64 ->  64, 8x8                       5.4 / 5.3
//   128 -> 128, 16x16      6.4 / 10.2      57 / 229
//    32 ->  32, 16x16                     3.9 / 8.4
//    64 ->  64, 32x32      7.2 / 34        70 / 372
constexpr std::int64_t kUnfoldedPixels = 64;

/// Whether oneDNN's bf16 is worth a call at all.
bool is_for_onednn(const Shape& x, const Shape& w, const Shape& y) {
  const std::int64_t products = saturating_multiply(y.count(), Shape{w[1], w[2], w[3]}.count());
  return products >= kTinyProducts && x.count() > 0 && has_bf16_instructions();
}

/// Whether the weight gradient is a product of unfolded windows rather than oneDNN's primitive.
bool is_unfolded(const Shape& w, const Shape& y, const Conv2dOptions& options) {
  static const bool is_amx = onednn::has_amx();
  return is_amx && options.groups == 1 && w[2] * w[3] > 1 && y[2] * y[3] <= kUnfoldedPixels;
}

Array widened(const Array& x) { return x.to(DType::bf16).to(DType::f32); }
Array channels_last(const Array& x) { return x.to_layout(Layout::channels_last); }
Array dense(const Array& w) { return w.is_dense() ? w : w.contiguous(); }

}  // namespace

Array bf16_conv2d(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, const Shape& shape,
                  double slope) {
  if (is_for_onednn(x.shape(), w.shape(), shape)) {
    Array y = detail::empty_images(shape, DType::bf16);
    const Array bias = b.defined() ? b.contiguous() : b;
    // oneDNN's ReLU makes zeros of NaN, its leaky ReLU does not.
    const double inside = slope == 0 ? 1 : slope;
    if (onednn::convolution(channels_last(x), dense(w), bias, options, y, static_cast<float>(inside)))
      return inside == slope ? y : relu(y);
  }
  profile::implementation("by way of f32");
  return conv2d(x.to(DType::f32), widened(w), b.defined() ? b.to(DType::f32) : b, options, slope).to(DType::bf16);
}

Array bf16_conv2d_input_grad(const Array& dy, const Array& w, const Shape& x, const Conv2dOptions& options) {
  if (is_for_onednn(x, w.shape(), dy.shape())) {
    Array dx = detail::empty_images(x, DType::bf16);
    if (onednn::convolution_input_grad(channels_last(dy), dense(w), options, dx)) return dx;
  }
  profile::implementation("by way of f32");
  return conv2d_input_grad(dy.to(DType::f32), widened(w), x, options).to(DType::bf16);
}

Array bf16_conv2d_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options) {
  if (is_for_onednn(x.shape(), w, dy.shape())) {
    if (is_unfolded(w, dy.shape(), options)) return bf16_unfolded_weight_grad(dy, x, w, options);
    Array dw = Array::empty(w, DType::f32);
    if (onednn::convolution_weight_grad(channels_last(dy), channels_last(x), options, dw)) return dw;
  }
  profile::implementation("by way of f32");
  return conv2d_weight_grad(dy.to(DType::f32), x.to(DType::f32), w, options);
}

Array bf16_unfolded_weight_grad(const Array& dy, const Array& x, const Shape& w, const Conv2dOptions& options) {
  profile::implementation("unfolded");
  const Array image = channels_last(x), gradient = channels_last(dy);
  const Windows windows(x.shape(), w, dy.shape(), options);
  const std::int64_t K = w[0], numbers = windows.numbers();
  Array unfolded = Array::empty({windows.count(), numbers}, DType::bf16);
  const bfloat16* from = image.data<bfloat16>();
  bfloat16* to = unfolded.data<bfloat16>();
  constexpr std::int64_t kGrain = 1 << 15;  // numbers that a thread copies at least
  parallel_for(windows.count(), 1 + kGrain / numbers, [&](std::int64_t begin, std::int64_t end) {
    unfold(windows, from, begin, end - begin, numbers, to + begin * numbers);
  });
  const Array flat = gradient.permute({0, 2, 3, 1}).reshape({unfolded.shape(0), K});
  const Array product = bf16_matmul(flat.transpose(0, 1), unfolded, DType::f32);  // [K, R S C]
  return product.reshape({K, windows.R, windows.S, windows.C}).permute({0, 3, 1, 2}).contiguous();
}

}  // namespace tandem::kernels
