// See instruments.h. Sums are in double; gradients of parts are kept from before the step to after it, for the slopes.
#include <tandem/optim/study/instruments.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/evaluations.h>
#include <tandem/autograd/hessian.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/optim/engine/optimizer_impl.h>
#include <tandem/optim/study/gradient_sums.h>
#include <tandem/optim/study/step_quality.h>

namespace tandem {
namespace {

using Vector = std::vector<Array>;
constexpr double kNotMeasured = InstrumentValues::kNotMeasured;

NamedTensors parameters_of(const Optimizer& optimizer) {
  NamedTensors all;
  for (const auto& group : optimizer.impl().groups)
    for (const Slot& slot : group->arena.slots()) all.push_back({slot.name, slot.tensor});
  return all;
}

Vector values_of(const NamedTensors& parameters) {
  Vector values;
  for (const NamedTensor& parameter : parameters) values.push_back(parameter.tensor.value());
  return values;
}

Vector copies_of(const NamedTensors& parameters) {
  Vector copies;
  for (const NamedTensor& parameter : parameters) copies.push_back(parameter.tensor.value().clone());
  return copies;
}

/// Calls f(T) for the dtype of x.
template <class F>
void with_type(const Array& x, F&& f) {
  if (x.dtype() == DType::f64)
    f(double{});
  else
    f(float{});
}

/// |a - b|^2 of arrays of one memory order.
double squared_distance(const Array& a, const Array& b) {
  double sum = 0;
  with_type(a, [&](auto zero) {
    using T = decltype(zero);
    const T *p = a.data<T>(), *q = b.data<T>();
    for (std::int64_t i = 0; i < a.size(); ++i) {
      const double difference = static_cast<double>(p[i]) - static_cast<double>(q[i]);
      sum += difference * difference;
    }
  });
  return sum;
}

/// g . (b - a)
double along(const Array& g, const Array& a, const Array& b) {
  double sum = 0;
  with_type(g, [&](auto zero) {
    using T = decltype(zero);
    const T *pg = g.data<T>(), *pa = a.data<T>(), *pb = b.data<T>();
    for (std::int64_t i = 0; i < g.size(); ++i)
      sum += static_cast<double>(pg[i]) * (static_cast<double>(pb[i]) - static_cast<double>(pa[i]));
  });
  return sum;
}

}  // namespace

std::vector<std::pair<const char*, double>> InstrumentValues::scalars() const {
  return {{"distance", distance},           {"update_size", update_size},
          {"gradient_norm", gradient_norm}, {"variance", variance},
          {"noise_scale", noise_scale},     {"signal_to_noise", signal_to_noise},
          {"mean_gsnr", mean_gsnr},         {"trace", trace},
          {"trace_error", trace_error},     {"tic_trace", tic_trace},
          {"tic_diagonal", tic_diagonal}};
}

std::vector<std::pair<const char*, double>> InstrumentReport::scalars() const {
  std::vector<std::pair<const char*, double>> all = {{"loss", loss},
                                                     {"loss_after", loss_after},
                                                     {"alpha", alpha},
                                                     {"sharpness", sharpness.value},
                                                     {"sharpness_residual", sharpness.residual}};
  for (const auto& scalar : whole.scalars()) all.push_back(scalar);
  return all;
}

Instruments::Instruments(const Optimizer& optimizer, const InstrumentOptions& options)
    : Instruments(parameters_of(optimizer), options) {}

Instruments::Instruments(const NamedTensors& parameters, const InstrumentOptions& options)
    : parameters_(parameters), options_(options) {
  if (options.curvature_parts < 0)
    fail("instruments", fmt::format("curvature_parts is {}, must be at least 0", options.curvature_parts));
  if (parameters.empty()) fail("instruments", "there are no parameters");
  for (const NamedTensor& parameter : parameters)
    if (!parameter.tensor.defined() || !parameter.tensor.requires_grad())
      fail("instruments", fmt::format("parameter \"{}\" asks for no gradient", parameter.name));
  initial_ = copies_of(parameters);
}

/// The parts' losses and gradients at the weights as they are; with curvature also that of their weighted mean.
struct Instruments::Look {
  std::vector<double> losses;
  std::vector<Vector> gradients;
  Evaluations::States states;  // as they were before
  std::optional<TraceEstimate> trace;
  Eigenvalue sharpness{kNotMeasured, kNotMeasured, 0, false};
  std::int64_t curvature_examples = 0;
};

Instruments::Look Instruments::look(bool with_curvature) const {
  std::vector<Tensor> tensors;
  for (const NamedTensor& parameter : parameters_) tensors.push_back(parameter.tensor);
  Evaluations evaluations(Evaluations::Moves::none, states_);
  Look result;
  bool is_finite = true;
  evaluations.begin();  // parts draw one after the other: their masks differ
  for (const BatchPart& part : parts_) {
    const Tensor loss = part.loss();
    if (!loss.defined() || loss.size() != 1 || !loss.requires_grad())
      fail("instruments", "the loss of a part is no recorded scalar",
           loss.defined() ? to_string(loss.shape()) : "it is not defined");
    result.losses.push_back(loss.item());
    is_finite = is_finite && std::isfinite(result.losses.back());
    const std::vector<Tensor> gradients = grad({loss}, tensors, {.allow_unused = true});
    Vector& own = result.gradients.emplace_back(copies_of(parameters_));  // of the weights' memory order
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (gradients[i].defined())
        own[i].copy_from(gradients[i].value());
      else
        own[i].fill(0);
    }
  }
  result.states = evaluations.states();
  if (!with_curvature || !is_finite) return result;
  const auto most = static_cast<std::size_t>(options_.curvature_parts);
  const std::size_t count = most > 0 ? std::min(most, parts_.size()) : parts_.size();
  for (std::size_t p = 0; p < count; ++p) result.curvature_examples += parts_[p].examples;
  Tensor mean;
  evaluations.begin();
  for (std::size_t p = 0; p < count; ++p) {
    const double part_of_all = static_cast<double>(parts_[p].examples) / static_cast<double>(result.curvature_examples);
    const Tensor share = parts_[p].loss() * part_of_all;
    mean = mean.defined() ? mean + share : share;
  }
  const Hessian hessian(mean, tensors);
  const SymmetricProduct product = [&](const Vector& v) { return hessian.times(v); };
  const Vector like = values_of(parameters_);
  result.sharpness = largest_eigenvalue(product, like, options_.lanczos);
  result.trace = estimate_trace(product, like, options_.trace);
  return result;
}

void Instruments::before_step(const std::vector<BatchPart>& parts) {
  if (parts.empty()) fail("instruments", "there is no part of a batch");
  for (const BatchPart& part : parts)
    if (!part.loss || part.examples < 1) fail("instruments", "a part of the batch has no loss or no examples");
  parts_ = parts;
  states_.clear();
  Look before = look(options_.curvature);
  states_ = std::move(before.states);
  weights_ = copies_of(parameters_);
  losses_ = std::move(before.losses);
  gradients_ = std::move(before.gradients);

  InstrumentReport& report = report_ = {};
  std::vector<double> examples;
  for (const BatchPart& part : parts) {
    examples.push_back(static_cast<double>(part.examples));
    report.examples += part.examples;
  }
  const auto n = static_cast<double>(report.examples);
  report.parts = static_cast<int>(parts.size());
  report.loss = moments(losses_, parts, n).mean;
  report.sharpness = before.sharpness;
  report.curvature_examples = before.curvature_examples;
  Sums all;
  double distances = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    InstrumentValues& values = report.parameters.emplace_back(parameters_[i].name, InstrumentValues{}).second;
    Array mean = Array::empty_like(weights_[i]);
    Sums sums;
    with_type(mean, [&](auto zero) {
      using T = decltype(zero);
      std::vector<const T*> pointers;
      for (const Vector& gradient : gradients_) pointers.push_back(gradient[i].data<T>());
      sums = sums_of<T>(pointers, examples, n, mean.data<T>(),
                        before.trace ? before.trace->diagonal[i].data<T>() : nullptr, mean.size(), options_);
    });
    fill(values, sums, n, parts.size() > 1, before.trace ? before.trace->blocks[i] : kNotMeasured);
    const double distance = squared_distance(weights_[i], initial_[i]);
    values.distance = std::sqrt(distance);
    for (const Vector& gradient : gradients_) values.gradients.add(gradient[i]);
    values.gradients_weights.add(mean, weights_[i]);
    report.whole.gradients.add(values.gradients);
    report.whole.gradients_weights.add(values.gradients_weights);
    distances += distance;
    all.add(sums);
  }
  fill(report.whole, all, n, parts.size() > 1, before.trace ? before.trace->value : kNotMeasured);
  report.whole.distance = std::sqrt(distances);
  if (before.trace) report.whole.trace_error = before.trace->standard_error;
}

InstrumentReport Instruments::after_step() {
  if (parts_.empty()) fail("instruments", "after_step without before_step");
  const Look after = look(false);
  const Vector now = values_of(parameters_);
  const auto n = static_cast<double>(report_.examples);
  double updates = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double update = squared_distance(now[i], weights_[i]);
    report_.parameters[i].second.update_size = std::sqrt(update);
    updates += update;
  }
  report_.whole.update_size = std::sqrt(updates);
  const auto end_of = [&](const std::vector<double>& losses, const std::vector<Vector>& gradients) {
    std::vector<double> slopes;
    for (const Vector& gradient : gradients) {
      slopes.push_back(0);
      for (std::size_t i = 0; i < now.size(); ++i) slopes.back() += along(gradient[i], weights_[i], now[i]);
    }
    const Moments loss = moments(losses, parts_, n), slope = moments(slopes, parts_, n);
    const bool has_noise = parts_.size() > 1;
    return LineEnd{loss.mean, slope.mean, has_noise ? loss.variance : 0, has_noise ? slope.variance : 0};
  };
  const LineEnd end = end_of(after.losses, after.gradients);
  report_.loss_after = end.loss;
  report_.alpha = step_quality(end_of(losses_, gradients_), end);
  forget();
  return std::move(report_);
}

void Instruments::forget() {
  parts_.clear();
  states_.clear();
  weights_.clear();
  gradients_.clear();
}

InstrumentReport Instruments::measure(const std::vector<BatchPart>& parts) {
  before_step(parts);
  forget();
  return std::move(report_);
}

InstrumentReport Instruments::measure(const std::vector<BatchPart>& parts, const std::function<void()>& step) {
  before_step(parts);
  step();
  return after_step();
}

}  // namespace tandem
