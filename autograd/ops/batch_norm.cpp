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

/// The value written with ops; `shown` is the output, after whose ReLU the gradient passes, undefined without one.
Tensor definition(const std::vector<Tensor>& in, const Array& shown, double epsilon) {
  const Tensor &x = in[0], &w = in[1], &b = in[2], &residual = in[3];
  const std::vector<int> dims = other_dims(x.rank());
  const Shape channels = channel_shape(x.shape());
  const Tensor centred = x - mean(x, dims, true);
  Tensor y = centred * (reshape(w, channels) * pow(mean(square(centred), dims, true) + epsilon, -0.5));
  if (b.defined()) y = y + reshape(b, channels);
  if (residual.defined()) y = y + residual;
  return shown.defined() ? ops::relu_grad(y, shown) : y;
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
  std::vector<Save> keep{x, w, Save(forward.mean), Save(forward.inverse_deviation)};
  if (options.relu) keep.push_back(Save::output());
  Tensor result = record("batch_norm", std::move(forward.y), {x, w, b, residual}, std::move(keep),
                         [options](const Tensor& dy, const Saved& saved, Needs needs) {
                           const Array y = options.relu ? saved[4].value() : Array();
                           kernels::BatchNormGrads grads = kernels::batch_norm_train_grad(
                               dy.value(), saved[0].value(), saved[1].value(), saved[2].value(), saved[3].value(), y,
                               options.relu && needs[3]);
                           const Tensor dresidual = !needs[3] ? Tensor{} : options.relu ? Tensor(grads.dadd) : dy;
                           return Grads{grads.dx, grads.dw, grads.db, dresidual};
                         },
                         {.definition = [options](const std::vector<Tensor>& in, const Saved& saved) {
                           return definition(in, options.relu ? saved[4].value() : Array(), options.epsilon);
                         }});
  if (options.relu && !residual.defined()) {
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
