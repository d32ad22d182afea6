// The table of golden cases: one row each, the same names as in make_golden.py, where PyTorch's side stands.
// A new op of ops.h needs a row here and one there. Not here: the comparison (golden_test.cpp).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/core/kernels/pool/pool2d.h>

namespace tandem::golden {

struct Inputs {
  std::vector<Tensor> x;  // differentiable
  std::vector<Array> a;   // labels, indices, statistics
};
using Compute = std::function<Tensor(const Inputs&)>;
using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

inline Compute one(Unary f) {
  return [f](const Inputs& in) { return f(in.x[0]); };
}
inline Compute two(Binary f) {
  return [f](const Inputs& in) { return f(in.x[0], in.x[1]); };
}
template <class F>
Compute first(F f) {
  return [f](const Inputs& in) { return f(in.x[0]); };
}
inline Compute conv(Conv2dOptions options = {}) {
  return
      [options](const Inputs& in) { return conv2d(in.x[0], in.x[1], in.x.size() > 2 ? in.x[2] : Tensor{}, options); };
}
inline Compute conv_transpose(ConvTranspose2dOptions options = {}) {
  return [options](const Inputs& in) {
    return conv_transpose2d(in.x[0], in.x[1], in.x.size() > 2 ? in.x[2] : Tensor{}, options);
  };
}
inline Compute upsample(Upsample2dOptions options) {
  return [options](const Inputs& in) { return upsample2d(in.x[0], options); };
}
inline Compute upsample_grad(Upsample2dOptions options) {
  return [options](const Inputs& in) { return upsample2d_grad(in.x[0], {2, 3, 5, 4}, options); };
}
inline Compute norm_groups(GroupNormOptions options) {
  return [options](const Inputs& in) { return group_norm(in.x[0], in.x[1], in.x[2], options); };
}
inline Compute norm(BatchNormOptions options) {
  return [options](const Inputs& in) {
    return batch_norm(in.x[0], in.x[1], in.x[2], options, in.x.size() > 3 ? in.x[3] : Tensor{});
  };
}
inline Compute norm_evaluate(BatchNormOptions options) {
  return
      [options](const Inputs& in) { return batch_norm_evaluate(in.x[0], in.x[1], in.x[2], in.a[0], in.a[1], options); };
}
inline Compute entropy(CrossEntropyOptions options) {
  return [options](const Inputs& in) { return cross_entropy(in.x[0], in.a[0], options); };
}

inline const Pool2dOptions kOverlap{.kernel = 3, .stride = 2, .padding = 1};
inline const Conv2dOptions kStride2{.stride = 2, .padding = 1};

inline Array chosen_by_max_pool(const Array& x) { return kernels::max_pool2d(x, kOverlap).second; }

/// Name in the golden file -> the op with its options.
inline const std::map<std::string, Compute>& cases() {
  static const std::map<std::string, Compute> table = {
      {"add.same", two(add)},
      {"add.row", two(add)},
      {"add.outer", two(add)},
      {"add.constant", first([](const Tensor& x) { return add(x, 1.5); })},
      {"subtract.row", two(subtract)},
      {"subtract.from", first([](const Tensor& x) { return 2.5 - x; })},
      {"multiply.same", two(multiply)},
      {"multiply.channel", two(multiply)},
      {"multiply.constant", first([](const Tensor& x) { return multiply(x, -0.75); })},
      {"divide.same", two(divide)},
      {"divide.column", two(divide)},
      {"divide.into", first([](const Tensor& x) { return 2.0 / x; })},
      {"power.same", two(power)},
      {"pow.cube", first([](const Tensor& x) { return pow(x, 3); })},
      {"pow.half", first([](const Tensor& x) { return pow(x, -0.5); })},
      {"negate", one(negate)},
      {"maximum.row", two(maximum)},
      {"minimum.row", two(minimum)},
      {"exp", one(exp)},
      {"square", one(square)},
      {"sin", one(sin)},
      {"cos", one(cos)},
      {"erf", one(erf)},
      {"log", one(log)},
      {"sqrt", one(sqrt)},
      {"abs", one(abs)},
      {"clamp", first([](const Tensor& x) { return clamp(x, -0.5, 0.75); })},
      {"relu", one(relu)},
      {"leaky_relu", first([](const Tensor& x) { return leaky_relu(x, 0.1); })},
      {"elu", first([](const Tensor& x) { return elu(x, 1.25); })},
      {"gelu", one(gelu)},
      {"silu", one(silu)},
      {"softplus", one(softplus)},
      {"sigmoid", one(sigmoid)},
      {"tanh", one(tanh)},
      {"softmax.last", first([](const Tensor& x) { return softmax(x, -1); })},
      {"softmax.channel", first([](const Tensor& x) { return softmax(x, 1); })},
      {"log_softmax.last", first([](const Tensor& x) { return log_softmax(x, -1); })},
      {"log_softmax.channel", first([](const Tensor& x) { return log_softmax(x, 1); })},
      {"sum.all", first([](const Tensor& x) { return sum(x); })},
      {"sum.last", first([](const Tensor& x) { return sum(x, {-1}); })},
      {"sum.keep", first([](const Tensor& x) {
         return sum(x, {0, 2}, true);
       })},
      {"sum.images", first([](const Tensor& x) {
         return sum(x, {2, 3});
       })},
      {"mean.all", first([](const Tensor& x) { return mean(x); })},
      {"mean.last", first([](const Tensor& x) { return mean(x, {-1}); })},
      {"mean.keep", first([](const Tensor& x) {
         return mean(x, {0, 2}, true);
       })},
      {"mean.images", first([](const Tensor& x) {
         return mean(x, {2, 3});
       })},
      {"max.all", first([](const Tensor& x) { return max(x); })},
      {"max.last", first([](const Tensor& x) { return max(x, {-1}); })},
      {"max.keep", first([](const Tensor& x) {
         return max(x, {0, 2}, true);
       })},
      {"max.images", first([](const Tensor& x) {
         return max(x, {2, 3});
       })},
      {"var.all", first([](const Tensor& x) { return var(x); })},
      {"var.biased", first([](const Tensor& x) {
         return var(x, {0, 2}, false, 0);
       })},
      {"var.keep", first([](const Tensor& x) { return var(x, {1}, true); })},
      {"sum_to", first([](const Tensor& x) {
         return sum_to(x, {4, 1});
       })},
      {"argmax", [](const Inputs& in) { return argmax(in.a[0], 1); }},
      {"topk.values", [](const Inputs& in) { return topk(in.a[0], 3, 1).first; }},
      {"topk.indices", [](const Inputs& in) { return topk(in.a[0], 3, 1).second; }},
      {"reshape", first([](const Tensor& x) {
         return reshape(x, {6, -1});
       })},
      {"flatten", first([](const Tensor& x) { return flatten(x); })},
      {"permute", first([](const Tensor& x) {
         return permute(x, {2, 0, 1});
       })},
      {"transpose", first([](const Tensor& x) { return transpose(x, 0, 2); })},
      {"expand", first([](const Tensor& x) {
         return expand(x, {2, 3, 5});
       })},
      {"slice", first([](const Tensor& x) { return slice(x, 1, 1, 3); })},
      {"slice.strided", first([](const Tensor& x) { return slice(x, 2, 1, 6, 2); })},
      {"slice.negative", first([](const Tensor& x) { return slice(x, 0, -2, 3); })},
      {"slice_grad", first([](const Tensor& x) {
         return slice_grad(x, {3, 4, 5}, 1, 1, 3, 1);
       })},
      {"pad", first([](const Tensor& x) {
         return pad(x, {0, 0, 2}, {0, 3, 1}, 0.5);
       })},
      {"cat", [](const Inputs& in) { return cat(in.x, 1); }},
      {"stack", [](const Inputs& in) { return stack(in.x, 1); }},
      {"gather", [](const Inputs& in) { return gather(in.x[0], 1, in.a[0]); }},
      {"gather_grad", [](const Inputs& in) { return gather_grad(in.x[0], 1, in.a[0], {3, 5}); }},
      {"where", [](const Inputs& in) { return where(in.a[0], in.x[0], in.x[1]); }},
      {"clone", one(clone)},
      {"matmul.plain", two(matmul)},
      {"matmul.batched", two(matmul)},
      {"matmul.broadcast", two(matmul)},
      {"matmul.broadcast_left", two(matmul)},
      {"matmul.broadcast_both", two(matmul)},
      {"linear", [](const Inputs& in) { return linear(in.x[0], in.x[1], in.x[2]); }},
      {"linear.plain", [](const Inputs& in) { return linear(in.x[0], in.x[1]); }},
      {"linear.deep", [](const Inputs& in) { return linear(in.x[0], in.x[1], in.x[2]); }},
      {"conv2d.plain", conv()},
      {"conv2d.no_bias", conv()},
      {"conv2d.padding", conv({.padding = 1})},
      {"conv2d.stride", conv(kStride2)},
      {"conv2d.uneven", conv({.stride = {2, 1}, .padding = {0, 1}})},
      {"conv2d.dilation", conv({.padding = 2, .dilation = 2})},
      {"conv2d.groups", conv({.padding = 1, .groups = 2})},
      {"conv2d.depthwise", conv({.padding = 1, .groups = 8})},
      {"conv2d.point", conv()},
      {"conv2d.point_stride", conv({.stride = 2})},
      {"conv2d.wide", conv({.padding = 1})},
      {"conv2d.one_place", conv()},
      {"conv2d.gray", conv({.padding = 2})},
      {"conv2d_input_grad",
       [](const Inputs& in) { return conv2d_input_grad(in.x[0], in.x[1], {2, 3, 7, 6}, kStride2); }},
      {"conv2d_weight_grad",
       [](const Inputs& in) { return conv2d_weight_grad(in.x[0], in.x[1], {4, 3, 3, 3}, kStride2); }},
      {"conv_transpose2d.plain", conv_transpose()},
      {"conv_transpose2d.no_bias", conv_transpose()},
      {"conv_transpose2d.padding", conv_transpose({.padding = 1})},
      {"conv_transpose2d.double", conv_transpose({.stride = 2, .padding = 1})},
      {"conv_transpose2d.output_padding", conv_transpose({.stride = 2, .padding = 1, .output_padding = 1})},
      {"conv_transpose2d.uneven", conv_transpose({.stride = {2, 3}, .padding = {0, 1}, .output_padding = {1, 2}})},
      {"conv_transpose2d.dilation", conv_transpose({.stride = 2, .padding = 2, .output_padding = 1, .dilation = 2})},
      {"conv_transpose2d.groups", conv_transpose({.stride = 2, .padding = 1, .output_padding = 1, .groups = 2})},
      {"conv_transpose2d.depthwise", conv_transpose({.stride = 2, .padding = 1, .groups = 8})},
      {"conv_transpose2d.wide", conv_transpose({.padding = 1})},
      {"conv_transpose2d.image", conv_transpose({.stride = 2, .padding = 1})},
      {"upsample2d.nearest", upsample({.scale = 2})},
      {"upsample2d.nearest_scale", upsample({.scale = {1.5, 2.3}})},
      {"upsample2d.nearest_size", upsample({.size = {7, 3}})},
      {"upsample2d.bilinear", upsample({.scale = 2, .mode = Interpolation::bilinear})},
      {"upsample2d.bilinear_scale", upsample({.scale = {1.5, 2.3}, .mode = Interpolation::bilinear})},
      {"upsample2d.bilinear_size", upsample({.size = {7, 3}, .mode = Interpolation::bilinear})},
      {"upsample2d_grad.nearest", upsample_grad({.scale = 2})},
      {"upsample2d_grad.bilinear", upsample_grad({.scale = 2, .mode = Interpolation::bilinear})},
      {"max_pool2d.plain", first([](const Tensor& x) { return max_pool2d(x, {}); })},
      {"max_pool2d.overlap", first([](const Tensor& x) { return max_pool2d(x, kOverlap); })},
      {"max_pool2d.uneven", first([](const Tensor& x) {
         return max_pool2d(x, {.kernel = {3, 2}, .stride = {1, 2}, .padding = {1, 0}});
       })},
      {"average_pool2d.plain", first([](const Tensor& x) { return average_pool2d(x, {}); })},
      {"average_pool2d.padding", first([](const Tensor& x) { return average_pool2d(x, kOverlap); })},
      {"average_pool2d.valid", first([](const Tensor& x) {
         return average_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1, .count_padding = false});
       })},
      {"global_average_pool2d", one(global_average_pool2d)},
      {"max_pool2d_grad",
       [](const Inputs& in) { return max_pool2d_grad(in.x[0], chosen_by_max_pool(in.a[0]), {2, 3, 7, 6}, kOverlap); }},
      {"max_pool2d_take",
       [](const Inputs& in) { return max_pool2d_take(in.x[0], chosen_by_max_pool(in.a[0]), kOverlap); }},
      {"average_pool2d_grad", first([](const Tensor& dy) {
         return average_pool2d_grad(dy, {2, 3, 7, 6}, kOverlap);
       })},
      {"batch_norm.train", norm({})},
      {"batch_norm.rows", norm({})},
      {"batch_norm.epsilon", norm({.epsilon = 0.1})},
      {"batch_norm.relu", norm({.relu = true})},
      {"batch_norm.residual", norm({.relu = true})},
      {"batch_norm_evaluate", norm_evaluate({})},
      {"batch_norm_evaluate.relu", norm_evaluate({.relu = true})},
      {"group_norm.groups", norm_groups({.groups = 2})},
      {"group_norm.layer", norm_groups({.groups = 1})},
      {"group_norm.channels", norm_groups({.groups = 4, .epsilon = 0.1})},
      {"group_norm.rows", norm_groups({.groups = 2})},
      {"group_norm.sequence", norm_groups({.groups = 3})},
      {"group_norm.wide", norm_groups({.groups = 8})},
      {"l1_loss", two(l1_loss)},
      {"binary_cross_entropy", [](const Inputs& in) { return binary_cross_entropy(in.x[0], in.a[0]); }},
      {"binary_cross_entropy.edges", [](const Inputs& in) { return binary_cross_entropy(in.x[0], in.a[0]); }},
      {"gaussian_kl", two(gaussian_kl)},
      {"cross_entropy.plain", entropy({})},
      {"cross_entropy.smooth", entropy({.label_smoothing = 0.1})},
      {"cross_entropy.ignore", entropy({})},
      {"cross_entropy.both", entropy({.label_smoothing = 0.2})},
      {"mse_loss", two(mse_loss)},
      {"binary_cross_entropy_with_logits",
       [](const Inputs& in) { return binary_cross_entropy_with_logits(in.x[0], in.a[0]); }},
  };
  return table;
}

}  // namespace tandem::golden
