// Measuring with Tandem's own parts. A copy's gradient does not see the other copies: the loss is a sum.
#include "measure.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>

#include <tandem/autograd/ops.h>
#include <tandem/core/threads.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/sgd.h>
#include <tandem/train/program.h>

namespace tandem::quadratic {
namespace {

InnerState inner_state(State state) {
  switch (state) {
    case State::maintain:
      return InnerState::maintain;
    case State::interpolate:
      return InnerState::interpolate;
    case State::reset:
      break;
  }
  return InnerState::reset;
}

/// Calls task(0) ... task(count - 1), each thread taking the next. Inside a task everything runs on one thread: tasks
/// are whole simulations, and no thread waits for another within one.
void run_tasks(std::size_t count, const std::function<void(std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  parallel_for(threads(), 1, [&](std::int64_t, std::int64_t) {
    for (std::size_t i = next++; i < count; i = next++) task(i);
  });
}

/// Copies of theta [copies, coordinates] and the optimizer that moves them all.
class Walk {
 public:
  Walk(const Shape& shape, double start, const Rule& rule)
      : theta_(Array::full(shape, start), true), optimizer_({{"theta", theta_}}, rule) {}

  /// One step on L = sum a/2 (theta - c)^2.
  void step(const Tensor& center, const Tensor& half_curvature) {
    check_interrupt();
    const Tensor loss = sum(square(theta_ - center) * half_curvature);
    optimizer_.zero_grad();
    loss.backward();
    optimizer_.step();
  }

  /// f(copy, sum_i weights[i] theta_i^2) for every copy of the evaluation weights.
  template <class F>
  void each_copy(const std::vector<double>& weights, F&& f) {
    const auto slow = optimizer_.evaluation_weights();
    const float* theta = theta_.value().data<float>();
    const auto copies = static_cast<std::size_t>(theta_.shape(0));
    for (std::size_t copy = 0; copy < copies; ++copy) {
      double total = 0;
      for (const double weight : weights) {
        const double value = *theta++;
        total += weight * value * value;
      }
      f(copy, total);
    }
  }

 private:
  Tensor theta_;
  Optimizer optimizer_;
};

/// Averages over time, a copy apart: copies are independent, moments of one copy are not.
class TimeAverage {
 public:
  explicit TimeAverage(std::int64_t copies) : totals_(static_cast<std::size_t>(copies)) {}
  void add(Walk& walk, const std::vector<double>& weights) {
    walk.each_copy(weights, [&](std::size_t copy, double value) { totals_[copy] += value; });
    ++count_;
  }
  std::vector<double> means() const {
    std::vector<double> result = totals_;
    for (double& mean : result) mean /= count_;
    return result;
  }

 private:
  std::vector<double> totals_;
  double count_ = 0;
};

Estimate now(Walk& walk, const std::vector<double>& weights, std::int64_t copies) {
  TimeAverage once(copies);
  once.add(walk, weights);
  return estimate(once.means());
}

/// For each method the time average of theta^2 of each copy.
std::vector<std::vector<double>> variances_of(const VarianceSetting& setting, std::int64_t copies, Generator noise) {
  std::vector<Walk> walks;
  std::vector<TimeAverage> averages;
  for (const Method& method : setting.methods) {
    walks.emplace_back(Shape{copies, 1}, 0.0, rule_of(method));
    averages.emplace_back(copies);
  }
  Array center = Array::empty({copies, 1});
  const Tensor half_curvature({setting.quadratic.curvature / 2}, {1});
  for (int cycle = 0; cycle < setting.cycles; ++cycle) {
    for (int i = 0; i < setting.every; ++i) {
      noise.fill_normal(center, 0, setting.quadratic.noise);
      for (Walk& walk : walks) walk.step(center, half_curvature);
    }
    if (cycle < setting.cycles / 2) continue;
    for (std::size_t m = 0; m < walks.size(); ++m) averages[m].add(walks[m], {1});
  }
  std::vector<std::vector<double>> results;
  for (const TimeAverage& average : averages) results.push_back(average.means());
  return results;
}

Descent descend(const Spectrum& s, const DescentPlan& plan, std::int64_t copies, Generator noise) {
  const auto coordinates = static_cast<std::int64_t>(s.curvatures.size());
  std::vector<double> half_curvatures, weights;  // weights: of theta_i^2 in the loss
  for (const double a : s.curvatures) {
    half_curvatures.push_back(a / 2);
    weights.push_back(a / 2 / static_cast<double>(coordinates));
  }
  const Tensor half_curvature(Array::from(half_curvatures, {coordinates}).to(DType::f32));
  Walk walk({copies, coordinates}, s.start, rule_of(plan.method));
  TimeAverage long_run(copies);
  Descent descent;
  Array center = Array::empty({copies, coordinates});
  for (int step = 1; step <= plan.steps; ++step) {
    noise.fill_normal(center, 0, s.noise);
    walk.step(center, half_curvature);
    if (step % plan.method.k != 0) continue;
    if (step == plan.look) descent.at_look = now(walk, weights, copies);
    if (descent.steps == 0 && now(walk, weights, copies).mean <= plan.target) descent.steps = step;
    if (step > plan.steps / 2) long_run.add(walk, weights);
  }
  descent.long_run = estimate(long_run.means());
  return descent;
}

double contraction_of(const DecayPlan& plan) {
  const auto coordinates = static_cast<std::int64_t>(plan.curvatures.size());
  const Tensor theta(Array::full({coordinates}, 1, DType::f64), true);
  std::vector<double> half_curvatures;
  for (const double a : plan.curvatures) half_curvatures.push_back(a / 2);
  const Tensor half_curvature(Array::from(half_curvatures, {coordinates}));
  Optimizer optimizer({{"theta", theta}}, rule_of(plan.method, plan.lr));

  double n = 0, t_sum = 0, y_sum = 0, tt_sum = 0, ty_sum = 0;
  for (int step = 1; step <= plan.steps; ++step) {
    check_interrupt();
    const Tensor loss = sum(square(theta) * half_curvature);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (step % plan.method.k != 0 || step <= plan.steps / 2) continue;
    double squares = 0;
    for (const double x : theta.value().to_vector<double>()) squares += x * x;
    const double t = step - 0.75 * plan.steps, y = std::log(squares) / 2;
    n += 1;
    t_sum += t;
    y_sum += y;
    tt_sum += t * t;
    ty_sum += t * y;
  }
  return std::exp((n * ty_sum - t_sum * y_sum) / (n * tt_sum - t_sum * t_sum));
}

}  // namespace

void check_interrupt() {
  if (train::interrupt_signal() != 0) throw train::Interrupted("interrupted: nothing was written");
}

Estimate estimate(const std::vector<double>& copies) {
  const auto n = static_cast<double>(copies.size());
  double mean = 0, squares = 0;
  for (const double x : copies) mean += x / n;
  for (const double x : copies) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

Rule rule_of(const Method& m) {
  const Rule inner = sgd({.lr = m.lr});
  return m.k == 1 && m.alpha == 1 ? inner : lookahead(inner, {.k = m.k, .alpha = m.alpha});
}

Rule rule_of(const HeavyBall& h, double lr) {
  const Rule inner = momentum({.lr = lr, .momentum = h.momentum});
  if (h.k == 1 && h.alpha == 1) return inner;
  return lookahead(inner, {.k = h.k, .alpha = h.alpha, .state = inner_state(h.state)});
}

std::vector<std::vector<Estimate>> measure_variances(const std::vector<VarianceSetting>& settings, std::int64_t copies,
                                                     const Generator& noise) {
  constexpr std::size_t kParts = 4;  // of the copies: pieces of work
  std::vector<std::vector<std::vector<double>>> parts(settings.size() * kParts);
  run_tasks(parts.size(), [&](std::size_t i) {
    const auto part = static_cast<std::int64_t>(i % kParts), count = static_cast<std::int64_t>(kParts);
    const std::int64_t size = copies * (part + 1) / count - copies * part / count;
    parts[i] = variances_of(settings[i / kParts], size, noise.split(i));
  });
  std::vector<std::vector<Estimate>> results;
  for (std::size_t s = 0; s < settings.size(); ++s) {
    results.emplace_back();
    for (std::size_t m = 0; m < settings[s].methods.size(); ++m) {
      std::vector<double> all;
      for (std::size_t p = 0; p < kParts; ++p) {
        const std::vector<double>& some = parts[s * kParts + p][m];
        all.insert(all.end(), some.begin(), some.end());
      }
      results.back().push_back(estimate(all));
    }
  }
  return results;
}

std::vector<Descent> measure_descents(const Spectrum& s, const std::vector<DescentPlan>& plans, std::int64_t copies,
                                      const Generator& noise) {
  std::vector<Descent> results(plans.size());
  run_tasks(plans.size(), [&](std::size_t i) { results[i] = descend(s, plans[i], copies, noise.split(i)); });
  return results;
}

std::vector<double> measure_contractions(const std::vector<DecayPlan>& plans) {
  std::vector<double> results(plans.size());
  run_tasks(plans.size(), [&](std::size_t i) { results[i] = contraction_of(plans[i]); });
  return results;
}

}  // namespace tandem::quadratic
