// Every op on Tensors: value and gradient. One op a file under ops/; this page is the list of them.
// Each has a row in tests/autograd/op_table.h (a test says so) and is checked in double against finite differences.
// dv is the gradient of the loss by v; shapes in brackets.
#pragma once

#include <concepts>
#include <vector>

#include <tandem/autograd/tensor.h>
#include <tandem/core/dims.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/convolution/conv_transpose2d.h>
#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/core/kernels/pool/upsample2d.h>

namespace tandem {

// Arithmetic, with broadcasting. Gradients are summed down to the shape of each input.
Tensor add(const Tensor& a, const Tensor& b);
Tensor subtract(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor divide(const Tensor& a, const Tensor& b);
Tensor power(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor add(const Tensor& x, double c);
Tensor multiply(const Tensor& x, double c);
/// x^c.
Tensor pow(const Tensor& x, double c);
Tensor negate(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return subtract(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return multiply(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return divide(a, b); }
inline Tensor operator+(const Tensor& x, double c) { return add(x, c); }
inline Tensor operator+(double c, const Tensor& x) { return add(x, c); }
inline Tensor operator-(const Tensor& x, double c) { return add(x, -c); }
inline Tensor operator-(double c, const Tensor& x) { return add(negate(x), c); }
inline Tensor operator*(const Tensor& x, double c) { return multiply(x, c); }
inline Tensor operator*(double c, const Tensor& x) { return multiply(x, c); }
inline Tensor operator/(const Tensor& x, double c) { return multiply(x, 1 / c); }
Tensor operator/(double c, const Tensor& x);
inline Tensor operator-(const Tensor& x) { return negate(x); }

// Functions of one number.
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
/// |x|; the gradient at 0 is 0.
Tensor abs(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor erf(const Tensor& x);
/// min(max(x, low), high); gradient where low <= x <= high.
Tensor clamp(const Tensor& x, double low, double high);

// Activations.
Tensor relu(const Tensor& x);
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
Tensor elu(const Tensor& x, double alpha = 1);
/// x Phi(x), exact.
Tensor gelu(const Tensor& x);
/// x sigmoid(x).
Tensor silu(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);
/// log(1 + e^x).
Tensor softplus(const Tensor& x);
Tensor softmax(const Tensor& x, int dim);
Tensor log_softmax(const Tensor& x, int dim);

// Reductions over all dims, or over those in a list, which may be empty: then nothing is reduced.
Tensor sum(const Tensor& x, const Dims& dims = all, bool keep = false);
Tensor mean(const Tensor& x, const Dims& dims = all, bool keep = false);
/// The largest along dims; its gradient is shared equally between equals.
Tensor max(const Tensor& x, const Dims& dims = all, bool keep = false);
/// sum (x - mean)^2 / (n - correction).
Tensor var(const Tensor& x, const Dims& dims = all, bool keep = false, int correction = 1);
/// What a pointer to a reduction over a list points to: Tensor (*)(const Tensor&, const std::vector<int>&, bool). A
/// call through one has no default, so that there, as PyTorch's dim=[], an empty list stands for all dims.
template <std::same_as<Tensor> Result>
Result sum(const Tensor& x, const std::vector<int>& dims, bool keep) {
  return sum(x, dims.empty() ? Dims(all) : Dims(dims), keep);
}
template <std::same_as<Tensor> Result>
Result mean(const Tensor& x, const std::vector<int>& dims, bool keep) {
  return mean(x, dims.empty() ? Dims(all) : Dims(dims), keep);
}
template <std::same_as<Tensor> Result>
Result max(const Tensor& x, const std::vector<int>& dims, bool keep) {
  return max(x, dims.empty() ? Dims(all) : Dims(dims), keep);
}
/// Sums x down to `shape`: the transpose of broadcasting.
Tensor sum_to(const Tensor& x, const Shape& shape);
/// Without gradient: i64.
Tensor argmax(const Tensor& x, int dim);
/// Without gradient: values and i64 indices.
std::pair<Tensor, Tensor> topk(const Tensor& x, std::int64_t k, int dim);

// Shape.
/// One size may be -1.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Joins dims begin..end (inclusive) into one, in logical order.
Tensor flatten(const Tensor& x, int begin = 1, int end = -1);
Tensor permute(const Tensor& x, const std::vector<int>& dims);
Tensor transpose(const Tensor& x, int dim_a, int dim_b);
Tensor expand(const Tensor& x, const Shape& shape);
/// Elements begin, begin + step, ... below end (negative begin and end count from the back).
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after,
           double value = 0);
Tensor cat(const std::vector<Tensor>& xs, int dim);
/// Joins along a new dim.
Tensor stack(const std::vector<Tensor>& xs, int dim);
/// y[i, j] = x[i, index[i, j]] at dim; index i64.
Tensor gather(const Tensor& x, int dim, const Tensor& index);
/// condition != 0 ? a : b.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
/// A copy, through which gradients pass.
Tensor clone(const Tensor& x);

// Linear algebra and images.
/// y[..., m, n] = sum_k a[..., m, k] b[..., k, n].
Tensor matmul(const Tensor& a, const Tensor& b);
/// y = x w^T + b; x [..., in], w [out, in], b [out] or undefined.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {});
/// leaky_relu(linear(x, w, b), slope) in one call, slope >= 0; 0 is ReLU.
Tensor linear_leaky_relu(const Tensor& x, const Tensor& w, const Tensor& b, double slope = 0);
/// x [N, C, H, W], w [K, C/groups, R, S], b [K] or undefined.
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv2dOptions& options = {});
Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options = {});
/// leaky_relu(conv2d(x, w, b, options), slope) in one call, slope >= 0; 0 is ReLU.
Tensor conv2d_leaky_relu(const Tensor& x, const Tensor& w, const Tensor& b, const Conv2dOptions& options,
                         double slope = 0);
/// x [N, C, H, W], w [C, K/groups, R, S], b [K] or undefined: the transpose of conv2d with this weight.
Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose2dOptions& options = {});
Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const ConvTranspose2dOptions& options = {});
/// leaky_relu(conv_transpose2d(x, w, b, options), slope) in one call, slope >= 0; 0 is ReLU.
Tensor conv_transpose2d_leaky_relu(const Tensor& x, const Tensor& w, const Tensor& b,
                                   const ConvTranspose2dOptions& options, double slope = 0);
/// [N, C, H, W] -> [N, C, H', W'], nearest or bilinear.
Tensor upsample2d(const Tensor& x, const Upsample2dOptions& options);
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options);
Tensor average_pool2d(const Tensor& x, const Pool2dOptions& options);
/// [N, C, H, W] -> [N, C].
Tensor global_average_pool2d(const Tensor& x);

struct BatchNormOptions {
  double epsilon = 1e-5;
  bool relu = false;  ///< the ReLU after it, in the same pass
};
/// With the statistics of this batch. x [N, C, ...], w, b [C]. `mean` and `variance` (biased), when given, receive
/// them. `residual` (shape of x, or undefined) is added before the ReLU.
Tensor batch_norm(const Tensor& x, const Tensor& w, const Tensor& b, const BatchNormOptions& options = {},
                  const Tensor& residual = {}, Array* mean = nullptr, Array* variance = nullptr);
/// With given statistics [C], which get no gradient.
Tensor batch_norm_evaluate(const Tensor& x, const Tensor& w, const Tensor& b, const Array& mean, const Array& variance,
                           const BatchNormOptions& options = {}, const Tensor& residual = {});
struct GroupNormOptions {
  std::int64_t groups = 1;  ///< divides C; 1 normalises each image as a whole, C each channel of it (instance norm)
  double epsilon = 1e-5;
};
/// Each example by itself, its channels in groups. x [N, C, ...], w, b [C].
Tensor group_norm(const Tensor& x, const Tensor& w, const Tensor& b, const GroupNormOptions& options = {});
/// Each element 0 with probability p, else x / (1 - p); the mask is drawn from `generator`.
Tensor dropout(const Tensor& x, double p, Generator& generator);

// Losses: scalars, the mean over the batch.
struct CrossEntropyOptions {
  double label_smoothing = 0;  ///< in [0, 1]
  std::int64_t ignore = -100;  ///< this label contributes nothing
};
/// -mean_i sum_c q_ic log_softmax(x)_ic over the rows i whose label is not `ignore`, q = (1 - s) onehot(label) + s / C
/// with s = label_smoothing; x [B, C] logits, labels i64 [B]. Throws Error for other shapes and dtypes, for s outside
/// [0, 1], for a label outside 0 .. C - 1 (naming its row), and when all labels are ignored: PyTorch gives NaN there.
Tensor cross_entropy(const Tensor& x, const Tensor& labels, const CrossEntropyOptions& options = {});
/// mean (x - y)^2.
Tensor mse_loss(const Tensor& x, const Tensor& target);
/// mean |x - y|; the gradient where they are equal is 0.
Tensor l1_loss(const Tensor& x, const Tensor& target);
/// mean of -(t log x + (1 - t) log(1 - x)) for probabilities x and targets in [0, 1]; logarithms count as at least
/// -100.
Tensor binary_cross_entropy(const Tensor& x, const Tensor& target);
/// mean of softplus(x) - x t: binary cross-entropy of sigmoid(x) against targets in [0, 1].
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target);
/// KL(N(mean, e^log_variance) || N(0, 1)) in nats, summed over an example and averaged over the N of [N, ...]:
/// (1 / 2N) sum (mean^2 + e^log_variance - log_variance - 1)  (Kingma & Welling 2014, appendix B).
Tensor gaussian_kl(const Tensor& mean, const Tensor& log_variance);

// Gradients that are ops themselves, so that they can be differentiated again.
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const Shape& x, const Conv2dOptions& options);
Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const Shape& w, const Conv2dOptions& options);
/// Of bf16 dy and x also as f32.
Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const Shape& w, const Conv2dOptions& options, DType dtype);
Tensor max_pool2d_grad(const Tensor& dy, const Array& chosen, const Shape& x, const Pool2dOptions& options);
Tensor max_pool2d_take(const Tensor& x, const Array& chosen, const Pool2dOptions& options);
Tensor average_pool2d_grad(const Tensor& dy, const Shape& x, const Pool2dOptions& options);
Tensor upsample2d_grad(const Tensor& dy, const Shape& x, const Upsample2dOptions& options);
Tensor slice_grad(const Tensor& dy, const Shape& shape, int dim, std::int64_t begin, std::int64_t end,
                  std::int64_t step);
Tensor gather_grad(const Tensor& dy, int dim, const Tensor& index, const Shape& shape);

}  // namespace tandem
