// See batch_norm2d.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/evaluations.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/worker_sum.h>
#include <tandem/nn/batch_norm2d.h>

namespace tandem::nn {

BatchNorm2d::BatchNorm2d(const Options& options) : options_(options) {
  if (options.channels < 1) {
    fail("BatchNorm2d", "channels must be at least 1", fmt::format("{} given", options.channels));
  }
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    fail("BatchNorm2d", "momentum must be in [0, 1]", fmt::format("{} given", options.momentum));
  }
  if (!(options.epsilon > 0)) {
    fail("BatchNorm2d", "epsilon must be positive", fmt::format("{} given", options.epsilon));
  }
  const Shape channels{options.channels};
  weight = parameter("weight", Array::full(channels, 1));
  bias = parameter("bias", Array::zeros(channels));
  running_mean = buffer("running_mean", Array::zeros(channels));
  running_var = buffer("running_var", Array::full(channels, 1));
  num_batches_tracked = buffer("num_batches_tracked", Array::scalar(0, DType::i64));
}

Tensor BatchNorm2d::operator()(const Tensor& x, const Tensor& residual) {
  return enter(x, [&](const Tensor& in) { return normalise(in, residual); });
}

Tensor BatchNorm2d::normalise(const Tensor& x, const Tensor& residual) {
  const BatchNormOptions op{.epsilon = options_.epsilon, .relu = options_.relu};
  if (!is_training()) {
    return batch_norm_evaluate(x, weight, bias, running_mean.value(), running_var.value(), op, residual);
  }
  if (workers_ && workers_->size() > 1) return normalise_together(x, residual);
  const std::int64_t values = x.rank() < 2 ? 0 : x.size() / std::max<std::int64_t>(x.shape(1), 1);
  if (values == 1) {
    fail("batch_norm", "one value a channel has no variance", "x " + to_string(x.shape()),
         "train with more, or call evaluate()");
  }
  Array mean, variance;
  Tensor y = batch_norm(x, weight, bias, op, residual, &mean, &variance);
  if (!Evaluations::is_later()) update_running(mean, variance, values);
  return y;
}

/// With n values a channel on all workers together: mean = sum x / n, var = sum (x - mean)^2 / n, sums over all of
/// them.
Tensor BatchNorm2d::normalise_together(const Tensor& x, const Tensor& residual) {
  if (x.rank() < 2) fail("batch_norm", "x must be [N, C, ...]", "x " + to_string(x.shape()));
  std::vector<int> dims{0};
  for (int dim = 2; dim < x.rank(); ++dim) dims.push_back(dim);
  Shape channels = Shape::filled(x.rank(), 1);
  channels[1] = x.shape()[1];
  double n = static_cast<double>(x.size()) / static_cast<double>(std::max<std::int64_t>(x.shape()[1], 1));
  workers_->sum(&n, 1);
  const auto mean_of_all = [&](const Tensor& values) {
    return sum_over_workers(sum(values, dims, true), workers_) * (1 / n);
  };
  const Tensor mean = mean_of_all(x), centred = x - mean;
  const Tensor variance = mean_of_all(square(centred));
  Tensor y = centred * (reshape(weight, channels) * pow(variance + options_.epsilon, -0.5)) + reshape(bias, channels);
  if (residual.defined()) y = y + residual;
  if (!Evaluations::is_later()) {
    update_running(mean.value().reshape({channels[1]}), variance.value().reshape({channels[1]}),
                   static_cast<std::int64_t>(n));
  }
  return options_.relu ? relu(y) : y;
}

namespace {

/// running = (1 - factor) running + factor scale batch.
template <class T>
void move_towards(Array& running, const Array& batch, double factor, double scale) {
  T* r = running.data<T>();
  const T* b = batch.data<T>();
  for (std::int64_t c = 0; c < running.size(); ++c) r[c] = static_cast<T>(r[c] + factor * (scale * b[c] - r[c]));
  running.mark_changed();
}

void move_towards(Tensor running, const Array& batch, double factor, double scale) {
  Array r = running.mutable_value();
  if (r.dtype() == DType::f64) {
    move_towards<double>(r, batch.to(DType::f64), factor, scale);
  } else {
    move_towards<float>(r, batch.to(DType::f32), factor, scale);
  }
}

}  // namespace

void BatchNorm2d::update_running(const Array& mean, const Array& variance, std::int64_t values_per_channel) {
  Array batches = num_batches_tracked.mutable_value();
  const std::int64_t seen = ++*batches.data<std::int64_t>();
  batches.mark_changed();
  const double factor = cumulative_ ? 1 / static_cast<double>(seen) : options_.momentum;
  const auto n = static_cast<double>(values_per_channel);
  move_towards(running_mean, mean, factor, 1);
  move_towards(running_var, variance, factor, n / (n - 1));  // unbiased
}

void BatchNorm2d::reset_running_statistics(bool cumulative) {
  running_mean.mutable_value().fill(0);
  running_var.mutable_value().fill(1);
  num_batches_tracked.mutable_value().fill(0);
  cumulative_ = cumulative;
}

std::string BatchNorm2d::describe() const {
  return fmt::format("BatchNorm2d({}{})", options_.channels, options_.relu ? ", relu" : "");
}

}  // namespace tandem::nn
