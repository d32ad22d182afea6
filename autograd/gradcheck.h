// gradcheck: compares the gradients that backward computes with central differences, in double precision.
// For everyone who writes an op or a layer. Not here: the table of all ops (tests/autograd/op_table.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/autograd/named_tensor.h>
#include <tandem/autograd/tensor.h>

namespace tandem {

struct GradcheckOptions {
  double epsilon = 1e-5;  ///< numeric = (s(x + epsilon) - s(x - epsilon)) / (2 epsilon)
  /// Allowed |analytic - numeric| / max(floor, |analytic|, |numeric|): relative down to the smallest gradient that
  /// differences can tell from 0 for this input (by a second step, 2 epsilon, and by rounding of f), absolute below.
  double tolerance = 1e-6;
  bool second_order = false;  ///< also check the gradients of the gradients, by each input and by dy
};

/// The verdict on one input.
struct GradcheckInput {
  std::string name;                 ///< "input 0"; with second_order also "second order, input 0" and "..., dy"
  Array analytic, numeric;          ///< f64, the shape of the input: compare index by index
  std::vector<std::int64_t> worst;  ///< the index with the largest error
  double worst_analytic = 0, worst_numeric = 0;
  double worst_error = 0;     ///< as the tolerance counts; infinity when a value is not finite
  std::int64_t failures = 0;  ///< indices over the tolerance
  /// Indices where f bends within epsilon (relu at 0): each slope from the left one to the right one is right there.
  std::int64_t kinks = 0;
  bool is_used = false;  ///< some gradient, analytic or numeric, is not 0
  bool passed() const { return failures == 0; }
};

struct GradcheckResult {
  std::vector<GradcheckInput> inputs;
  double tolerance = 0;
  bool passed() const;
  explicit operator bool() const { return passed(); }
  /// One line an input: "input 1 [2, 3]: FAILED at 2 of 6, worst at [0, 2]: analytic 1, numeric 2, error 0.5"; it says
  /// where f bends, and which inputs are empty or make no difference.
  std::string to_string() const;
};

/// A function of Tensors that uses ops on them and nothing random.
using GradcheckFunction = std::function<Tensor(const std::vector<Tensor>& inputs)>;

/// Checks d(v . f(inputs)) / d(each floating input) for one fixed random v of f's shape: with a random v, a wrong entry
/// anywhere in the Jacobian shows. Differences need double precision: f is called with f64 copies of all floating
/// inputs; i64 and u8 inputs (indices, labels) are handed through. Inputs are not changed. Throws Error when f gives
/// another dtype than f64 (it holds narrower numbers of its own), no input is floating, or two calls of f differ.
///
///   const GradcheckResult result = gradcheck([](const auto& in) { return tanh(matmul(in[0], in[1])); }, {a, b});
///   if (!result) {
///     std::cout << result.to_string();
///   }
GradcheckResult gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

/// The same for a function that reads its leaves itself, as a model reads its parameters: checks d(v . f()) / d(each
/// leaf). Values are moved in place and put back, gradients are left as they were. Throws Error as above, and for a
/// leaf that is not f64 or asks for no gradient, an empty list, and options.second_order.
GradcheckResult gradcheck_leaves(const std::function<Tensor()>& f, const NamedTensors& leaves,
                                 const GradcheckOptions& options = {});

}  // namespace tandem
