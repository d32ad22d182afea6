// Batch normalisation (Ioffe & Szegedy 2015), with the residual join and the ReLU after it in the same pass.
// Not here: running statistics (nn/batch_norm2d). Read next: core/kernels/normalise/batch_norm.h.
#include <tandem/core/kernels/normalise/batch_norm.h>

#include <tandem/autograd/remade.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

#include "common.h"

namespace tandem {

using ops::floating;

namespace {

/// All dims but the channels.
std::vector<int> other_dims(int rank) {
  std::vector<int> dims{0};
  for (int dim = 2; dim < rank; ++dim) dims.push_back(dim);
  return dims;
}

/// [C] as [1, C, 1, ...], to broadcast against x.
Shape channel_shape(const Shape& x) {
  Shape shape = Shape::filled(x.rank(), 1);
  shape[1] = x[1];
  return shape;
}

/// The value written with ops; `shown` is the output of a join, after whose ReLU the gradient passes.
Tensor definition(const std::vector<Tensor>& in, bool has_relu, const Array& shown, double epsilon) {
  const Tensor &x = in[0], &w = in[1], &b = in[2], &residual = in[3];
  const std::vector<int> dims = other_dims(x.rank());
  const Shape channels = channel_shape(x.shape());
  const Tensor centred = x - mean(x, dims, true);
  Tensor y = centred * (reshape(w, channels) * pow(mean(square(centred), dims, true) + epsilon, -0.5));
  if (b.defined()) y = y + reshape(b, channels);
  if (residual.defined()) y = y + residual;
  if (!has_relu) return y;
  return shown.defined() ? ops::relu_grad(y, shown) : relu(y);
}

/// From x, w, mean, inverse deviation, and what says where the ReLU lets gradients pass: y of a join, else b.
Grads train_grads(const Tensor& dy, const Saved& saved, Needs needs, bool has_relu, bool joins) {
  const Array &x = saved[0].value(), &w = saved[1].value(), &mean = saved[2].value(), &inverse = saved[3].value();
  if (has_relu && !joins) {
    kernels::BatchNormGrads grads = kernels::batch_norm_relu_grad(dy.value(), x, w, saved[4].value(), mean, inverse);
    return Grads{grads.dx, grads.dw, grads.db, Tensor{}};
  }
  const Array y = has_relu ? saved[4].value() : Array();
  kernels::BatchNormGrads grads =
      kernels::batch_norm_train_grad(dy.value(), x, w, mean, inverse, y, has_relu && needs[3]);
  return Grads{grads.dx, grads.dw, grads.db, !needs[3] ? Tensor{} : has_relu ? Tensor(grads.dadd) : dy};
}

}  // namespace

/// y = relu?((x - mean) / sqrt(var + epsilon) w + b + residual), mean and biased var over all dims but C
/// db = sum dy, dw = sum dy xhat, dx = w inv (dy - db / M - xhat dw / M), inv = 1 / sqrt(var + epsilon); dresidual = dy
Tensor batch_norm(const Tensor& x, const Tensor& w, const Tensor& b, const BatchNormOptions& options,
                  const Tensor& residual, Array* mean, Array* variance) {
  kernels::BatchNormForward forward = kernels::batch_norm_train(
      floating("batch_norm", "x", x), floating("batch_norm", "w", w), floating("batch_norm", "b", b), options.epsilon,
      options.relu, residual.defined() ? residual.value() : Array());
  if (mean) *mean = forward.mean;
  if (variance) *variance = forward.variance;
  const Array batch_mean = forward.mean, batch_variance = forward.variance;
  // Without a join, where the ReLU lets gradients pass is computed again from x: the output need not stay for that.
  const bool joins = residual.defined(), masks_by_output = options.relu && joins;
  std::vector<Save> keep{x, w, Save(forward.mean), Save(forward.inverse_deviation)};
  if (options.relu) keep.push_back(joins ? Save::output() : Save(b));
  Tensor result =
      record("batch_norm", std::move(forward.y), {x, w, b, residual}, std::move(keep),
             [options, joins](const Tensor& dy, const Saved& saved, Needs needs) {
               return train_grads(dy, saved, needs, options.relu, joins);
             },
             {.definition = [options, masks_by_output](const std::vector<Tensor>& in, const Saved& saved) {
               return definition(in, options.relu, masks_by_output ? saved[4].value() : Array(), options.epsilon);
             }});
  if (options.relu && !joins) {
    ops::remake(result, {&x.value(), &w.value(), &b.value(), &batch_mean, &batch_variance},
                [epsilon = options.epsilon](const std::vector<Array>& of) {
                  return kernels::batch_norm_evaluate(of[0], of[1], of[2], of[3], of[4], epsilon, true);
                });
  }
  return result;
}

/// y = relu?((x - mean) / sqrt(variance + epsilon) w + b + residual) with constant mean and variance
/// dx = w inv dy, dw = sum dy (x - mean) inv, db = sum dy, inv = 1 / sqrt(variance + epsilon); dresidual = dy
Tensor batch_norm_evaluate(const Tensor& x, const Tensor& w, const Tensor& b, const Array& mean, const Array& variance,
                           const BatchNormOptions& options, const Tensor& residual) {
  Array y =
      kernels::batch_norm_evaluate(floating("batch_norm_evaluate", "x", x), floating("batch_norm_evaluate", "w", w),
                                   floating("batch_norm_evaluate", "b", b), mean, variance, options.epsilon,
                                   options.relu, residual.defined() ? residual.value() : Array());
  std::vector<Save> keep{Save(x, ops::kInput1), Save(w, ops::kInput0), Save(mean), Save(variance)};
  if (options.relu) keep.push_back(Save::output());
  return record("batch_norm_evaluate", std::move(y), {x, w, b, residual}, std::move(keep),
                [options](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor g = options.relu ? ops::relu_grad(dy, saved[4].value()) : dy;
                  const Shape channels = channel_shape(g.shape());
                  const std::vector<int> dims = other_dims(g.rank());
                  const Tensor inverse_deviation = pow(reshape(saved[3], channels) + options.epsilon, -0.5);
                  Grads grads(4);
                  if (needs[0]) grads[0] = g * (reshape(saved[1], channels) * inverse_deviation);
                  if (needs[1])
                    grads[1] = sum(g * ((saved[0] - reshape(saved[2], channels)) * inverse_deviation), dims);
                  if (needs[2]) grads[2] = sum(g, dims);
                  if (needs[3]) grads[3] = g;
                  return grads;
                });
}

}  // namespace tandem
