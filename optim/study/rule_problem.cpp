// See rule_problem.h.
#include <tandem/optim/study/rule_problem.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include <tandem/core/generator.h>

namespace tandem {
namespace {

/// Noise in the shape of x for 17 steps, drawn once: a prime, so that no cycle of a loop meets the same noise again.
const Array& noise(const Array& x, std::size_t parameter, std::int64_t step) {
  static std::map<std::pair<std::size_t, std::int64_t>, Array> drawn;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  step %= 17;
  Array& c = drawn[{parameter, step}];
  if (!c.defined()) {
    c = Array::empty_like(x);
    Generator(9).split(static_cast<std::uint64_t>(step), parameter).fill_normal(c);
  }
  return c;
}

}  // namespace

bool is_for_matrices(const Rule& rule) { return rule.node().clone()->least_rank() > 1; }

RuleProblem::RuleProblem(const Rule& rule, std::uint64_t seed) {
  const Shape bias = is_for_matrices(rule) ? Shape{5, 1} : Shape{5};
  for (const auto& [name, shape] : {std::pair{"conv.weight", Shape{5, 3, 2, 2}}, std::pair{"conv.bias", bias},
                                    std::pair{"linear.weight", Shape{70, 131}}}) {
    Array x = Array::empty(shape);
    Generator(seed).split(parameters.size()).fill_normal(x);
    parameters.push_back({name, Tensor(x, true)});
    gradients.push_back(Array::empty(shape));
    of_step.push_back(Array::empty(shape));
  }
}

Tensor RuleProblem::put_gradients(std::int64_t step, int without) {
  double loss = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (static_cast<int>(i) == without) continue;
    const float* const w = parameters[i].tensor.value().data<float>();
    const float* const c = noise(gradients[i], i, step).data<float>();
    float* const g = gradients[i].data<float>();
    for (std::int64_t j = 0; j < gradients[i].size(); ++j) {
      g[j] = w[j] - c[j];
      loss += 0.5 * static_cast<double>(g[j]) * static_cast<double>(g[j]);
    }
    parameters[i].tensor.accumulate_grad(gradients[i]);
  }
  return Tensor(Array::full({1}, loss, DType::f64));
}

void RuleProblem::train(Optimizer& optimizer, std::int64_t from, std::int64_t to, int without) {
  for (std::int64_t step = from; step < to; ++step) {
    bool is_first = true;
    optimizer.step([&] {
      const Tensor loss = put_gradients(step, without);
      if (std::exchange(is_first, false)) {
        for (std::size_t i = 0; i < gradients.size(); ++i) of_step[i].copy_from(gradients[i]);
      }
      return loss;
    });
  }
}

void RuleProblem::copy_weights(const RuleProblem& other) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].tensor.mutable_value().copy_from(other.parameters[i].tensor.value());
  }
}

bool RuleProblem::equals(const RuleProblem& other) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!identical(parameters[i].tensor.value(), other.parameters[i].tensor.value())) return false;
  }
  return true;
}

bool RuleProblem::is_near(const RuleProblem& other) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<float> a = parameters[i].tensor.value().to_vector<float>();
    const std::vector<float> b = other.parameters[i].tensor.value().to_vector<float>();
    for (std::size_t j = 0; j < a.size(); ++j) {
      if (!(std::abs(a[j] - b[j]) <= 1e-4F * std::max(1.0F, std::abs(b[j])))) return false;
    }
  }
  return true;
}

RuleProblem RuleProblem::trained(const Rule& rule, std::int64_t steps) {
  RuleProblem problem(rule);
  Optimizer optimizer(problem.parameters, rule);
  problem.train(optimizer, 0, steps);
  return problem;
}

std::int64_t cycle_of(const Rule& rule) {
  RuleProblem problem(rule);
  const Optimizer optimizer(problem.parameters, rule);
  double product = 1;
  for (const std::string& name : optimizer.hyper_parameters()) {
    const std::string last = name.substr(name.rfind('/') + 1);
    if (last == "k" || last == "n") product *= optimizer.peek(name);  // n: of accumulate
  }
  return product <= 1000 ? static_cast<std::int64_t>(product) : 0;
}

bool equal_arrays(const NamedArrays& a, const NamedArrays& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedArray& x, const NamedArray& y) {
    return x.name == y.name && identical(x.array, y.array);
  });
}

}  // namespace tandem
