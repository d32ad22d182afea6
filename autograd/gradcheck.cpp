// Central differences against backward. Second order is first order of the function (inputs, dy) -> gradients.
// Read next: gradcheck.h.
#include <tandem/autograd/gradcheck.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/differences.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>

namespace tandem {

namespace {

using Tensors = std::vector<Tensor>;
using Function = std::function<Tensors(const Tensors&)>;

bool is_checked(const Tensor& x) { return x.dtype() == DType::f64; }

void require_double(const char* what, std::size_t i, const Tensor& x) {
  if (!x.defined()) fail("gradcheck", fmt::format("{} {} is not defined", what, i));
  if (x.dtype() == DType::f64) return;
  fail("gradcheck", fmt::format("{} {} is {}, must be f64", what, i, name(x.dtype())), to_string(x.shape()),
       "differences need double precision: convert what f holds itself with Array::to(DType::f64)");
}

/// The inputs in double, where they are floating.
Tensors in_double(const Tensors& inputs) {
  Tensors wide;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) fail("gradcheck", fmt::format("input {} is not defined", i));
    wide.emplace_back(is_floating(inputs[i].dtype()) ? inputs[i].value().to(DType::f64) : inputs[i].value());
  }
  return wide;
}

/// Copies of the inputs, in their memory order, that ask for gradients where they are checked.
Tensors fresh_leaves(const Tensors& inputs) {
  Tensors leaves;
  for (const Tensor& x : inputs) leaves.emplace_back(x.value().clone(), is_checked(x));
  return leaves;
}

/// Fixed random numbers of y's shape, none near 0.
Array projection(const Tensor& y, std::uint64_t stream) {
  Array v = Array::empty(y.shape(), DType::f64);
  Generator(20190719, stream).fill_uniform(v, 0.5, 1.5);
  double* p = v.data<double>();
  Generator signs(20190720, stream);
  for (std::int64_t i = 0; i < v.size(); ++i) p[i] *= signs.below(2) == 0 ? 1 : -1;
  return v;
}

double projected(const Tensors& ys, const std::vector<std::vector<double>>& vs) {
  double s = 0;
  for (std::size_t i = 0; i < ys.size(); ++i) {
    const std::vector<double> y = ys[i].value().to_vector<double>();
    for (std::size_t j = 0; j < y.size(); ++j) s += y[j] * vs[i][j];
  }
  return s;
}

/// d(v . f) / d inputs by backward; zeros where f does not depend on an input.
Tensors analytic_gradients(const Function& f, const Tensors& inputs, const std::vector<Array>& vs) {
  const Tensors leaves = fresh_leaves(inputs);
  const Tensors ys = f(leaves);
  Tensors outputs, seeds, wanted;
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (!ys[i].requires_grad()) continue;
    outputs.push_back(ys[i]);
    seeds.emplace_back(vs[i]);
  }
  for (const Tensor& leaf : leaves) {
    if (is_checked(leaf)) wanted.push_back(leaf);
  }
  Tensors grads(wanted.size());
  if (!outputs.empty()) grads = grad(outputs, wanted, {.allow_unused = true, .seeds = seeds});
  for (std::size_t i = 0; i < grads.size(); ++i) {
    if (!grads[i].defined()) grads[i] = Tensor(Array::zeros(wanted[i].shape(), DType::f64));
  }
  return grads;
}

/// The quotients of v . f by inputs[which].
std::vector<detail::Quotients> numeric_gradient(const Function& f, const Tensors& inputs, std::size_t which,
                                                const std::vector<std::vector<double>>& vs, double epsilon) {
  const std::vector<double> original = inputs[which].value().to_vector<double>();
  const auto value_at = [&](std::int64_t position, double change) {
    Tensors moved = inputs;
    std::vector<double> numbers = original;
    numbers[static_cast<std::size_t>(position)] += change;
    Array x = Array::empty_like(inputs[which].value());
    x.copy_from(Array::from(numbers, x.shape()));
    moved[which] = Tensor(std::move(x));
    return projected(f(moved), vs);
  };
  return detail::quotients(inputs[which].size(), value_at, epsilon);
}

/// The numbers of a leaf that is moved, also when f throws.
struct PutBack {
  Array value, original;
  ~PutBack() { value.copy_from(original); }
};

void require_repeatable(const Tensor& y, const Tensor& again) {
  if (identical(y.value(), again.value())) return;
  fail("gradcheck", "f gives two results for the same inputs", {}, "make its random numbers from a fixed seed");
}

void check(const Function& f, const Tensors& inputs, const std::vector<std::string>& names,
           const GradcheckOptions& options, GradcheckResult& result) {
  const Tensors ys = f(fresh_leaves(inputs)), again = f(fresh_leaves(inputs));
  std::vector<Array> vs;
  std::vector<std::vector<double>> plain;
  for (std::size_t i = 0; i < ys.size(); ++i) {
    require_double("output", i, ys[i]);
    require_repeatable(ys[i], again[i]);
    vs.push_back(projection(ys[i], i));
    plain.push_back(vs.back().to_vector<double>());
  }
  const Tensors analytic = analytic_gradients(f, inputs, vs);
  for (std::size_t i = 0, k = 0; i < inputs.size(); ++i) {
    if (!is_checked(inputs[i])) continue;
    const auto numeric = numeric_gradient(f, inputs, i, plain, options.epsilon);
    result.inputs.push_back(detail::judge(names[i], analytic[k++].value(), numeric, options.tolerance));
  }
}

/// (inputs..., dy) -> the gradients of dy . f(inputs) by the checked inputs, with their own history.
Tensors recorded_gradients(const GradcheckFunction& f, const Tensors& all) {
  Tensors leaves, wanted;
  for (const Tensor& x : all) leaves.push_back(x.requires_grad() || !is_checked(x) ? x : Tensor(x.value(), true));
  const Tensor dy = leaves.back();
  leaves.pop_back();
  for (const Tensor& leaf : leaves) {
    if (is_checked(leaf)) wanted.push_back(leaf);
  }
  const Tensor y = f(leaves);
  if (!y.requires_grad()) return {};
  Tensors grads = grad({y}, wanted, {.create_graph = true, .allow_unused = true, .seeds = {dy}});
  std::erase_if(grads, [](const Tensor& g) { return !g.defined(); });
  return grads;
}

}  // namespace

bool GradcheckResult::passed() const {
  for (const GradcheckInput& input : inputs) {
    if (!input.passed()) return false;
  }
  return true;
}

std::string GradcheckResult::to_string() const {
  std::string text = fmt::format("gradcheck: {}, tolerance {}\n", passed() ? "passed" : "FAILED", tolerance);
  for (const GradcheckInput& input : inputs) {
    text += fmt::format("  {} {}: ", input.name, input.analytic.shape().to_string());
    if (input.analytic.size() == 0) {
      text += "ok, it holds no numbers\n";
      continue;
    }
    text += input.passed() ? "ok" : fmt::format("FAILED at {} of {}", input.failures, input.analytic.size());
    text += fmt::format(", worst at [{}]: analytic {:.10g}, numeric {:.10g}, error {:.2g}",
                        fmt::join(input.worst, ", "), input.worst_analytic, input.worst_numeric, input.worst_error);
    if (input.kinks > 0) {
      text += fmt::format("; f bends at {}: between both slopes all are right, move the input away for one answer",
                          input.kinks);
    }
    if (!input.is_used) text += "; it makes no difference to f";
    text += '\n';
  }
  return text;
}

GradcheckResult gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& given,
                          const GradcheckOptions& options) {
  GradcheckResult result;
  result.tolerance = options.tolerance;
  const Tensors inputs = in_double(given);
  if (std::none_of(inputs.begin(), inputs.end(), is_checked)) {
    fail("gradcheck", "no input is floating", fmt::format("{} inputs", inputs.size()), "there is nothing to check");
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < inputs.size(); ++i) names.push_back(fmt::format("input {}", i));
  check([&](const Tensors& in) { return Tensors{f(in)}; }, inputs, names, options, result);
  if (!options.second_order) return result;

  Tensors with_dy = fresh_leaves(inputs);
  with_dy.emplace_back(projection(f(inputs), 0));
  for (std::string& name : names) name = "second order, " + name;
  names.emplace_back("second order, dy");
  check([&](const Tensors& in) { return recorded_gradients(f, in); }, with_dy, names, options, result);
  return result;
}

GradcheckResult gradcheck_leaves(const std::function<Tensor()>& f, const NamedTensors& leaves,
                                 const GradcheckOptions& options) {
  if (leaves.empty()) fail("gradcheck", "there is no leaf to check");
  if (options.second_order) fail("gradcheck", "leaves are checked in the first order only");
  for (const NamedTensor& leaf : leaves) {
    if (!leaf.tensor.defined() || !is_checked(leaf.tensor) || !leaf.tensor.requires_grad() || !leaf.tensor.is_leaf())
      fail("gradcheck", fmt::format("\"{}\" must be an f64 leaf that asks for a gradient", leaf.name));
  }
  GradcheckResult result;
  result.tolerance = options.tolerance;
  const Tensor y = f();
  require_double("output", 0, y);
  {
    const NoGradGuard no_grad;
    require_repeatable(y, f());
  }
  const Array v = projection(y, 0);
  Tensors wanted, analytic(leaves.size());
  for (const NamedTensor& leaf : leaves) wanted.push_back(leaf.tensor);
  if (y.requires_grad()) analytic = grad({y}, wanted, {.allow_unused = true, .seeds = {Tensor(v)}});
  const std::vector<std::vector<double>> plain{v.to_vector<double>()};
  const NoGradGuard no_grad;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    Array value = wanted[i].mutable_value();
    const PutBack put_back{value, value.clone()};
    const std::vector<double> numbers = put_back.original.to_vector<double>();
    const auto value_at = [&](std::int64_t position, double change) {
      std::vector<double> moved = numbers;
      moved[static_cast<std::size_t>(position)] += change;
      value.copy_from(Array::from(moved, value.shape()));
      return projected({f()}, plain);
    };
    const auto numeric = detail::quotients(value.size(), value_at, options.epsilon);
    const Array zeros = Array::zeros(value.shape(), DType::f64);
    const Array& found = analytic[i].defined() ? analytic[i].value() : zeros;
    result.inputs.push_back(detail::judge(leaves[i].name, found, numeric, options.tolerance));
  }
  return result;
}

}  // namespace tandem
