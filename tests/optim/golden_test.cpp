// Every leaf after 1, 10 and 100 steps on the same gradients: against PyTorch's weights where PyTorch has the rule
// (tests/golden/make_optimizer_golden.py), else against the paper written in Python (make_rule_golden.py). Entries are
// named by the rule. Rules that see whole tensors or groups: make_matrix_golden.py.
#include "golden/golden_file.h"
#include "support.h"

using namespace support;

namespace {

/// A number in [-1, 1) that f32 holds exactly: the upper 24 bits of a splitmix64 hash, as the script has it.
double noise(std::uint64_t step, std::uint64_t i) {
  std::uint64_t z = (step * 1000 + i + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
  z = (z ^ z >> 27) * 0x94D049BB133111EBU;
  return static_cast<double>((z ^ z >> 31) >> 40) / (1 << 23) - 1;
}

Array numbers(const Shape& shape, DType dtype, std::uint64_t step, std::uint64_t first) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(noise(step, first + static_cast<std::uint64_t>(i)));
  return Array::from(values, shape).to(dtype);
}

void compare(const std::string& name, std::size_t rules, double tolerance) {
  const Safetensors file = golden::load(name);
  CHECK(file.arrays.size() == rules);
  for (const DType dtype : {DType::f64, DType::f32}) {
    for (const NamedArray& expected : file.arrays) {
      CAPTURE(expected.name);
      const Rule rule = parse_rule(expected.name);
      CHECK(rule.describe() == expected.name);
      Tensor matrix(numbers({3, 5}, dtype, 0, 0), true), vector(numbers({9}, dtype, 0, 15), true);
      Optimizer optimizer({{"matrix", matrix}, {"vector", vector}}, rule);
      std::int64_t row = 0;
      for (std::uint64_t step = 1; step <= 100; ++step) {
        optimizer.zero_grad();
        matrix.accumulate_grad(numbers({3, 5}, dtype, step, 0));
        vector.accumulate_grad(numbers({9}, dtype, step, 15));
        optimizer.step();
        if (step != 1 && step != 10 && step != 100) continue;
        const Array truth = expected.array.select(0, row++);
        const double allowed = dtype == DType::f64 ? tolerance : 1e-5;
        CHECK(golden::relative_error(matrix.value(), truth.slice(0, 0, 15).reshape({3, 5})) < allowed);
        CHECK(golden::relative_error(vector.value(), truth.slice(0, 15, 24)) < allowed);
      }
      if (expected.array.shape()[0] == row) continue;
      const EvaluationWeights look = optimizer.evaluation_weights();  // the last row is of the average
      const Array truth = expected.array.select(0, row);
      const double allowed = dtype == DType::f64 ? tolerance : 1e-5;
      CHECK(golden::relative_error(matrix.value(), truth.slice(0, 0, 15).reshape({3, 5})) < allowed);
      CHECK(golden::relative_error(vector.value(), truth.slice(0, 15, 24)) < allowed);
    }
  }
}

}  // namespace

TEST_CASE("a hundred steps end where PyTorch's do") { compare("optimizers.safetensors", 33, 1e-10); }

TEST_CASE("a hundred steps end where the paper's formula does") { compare("rules.safetensors", 28, 1e-12); }

TEST_CASE("a hundred steps of whole tensors end where the paper's formula does") {
  compare("matrix_rules.safetensors", 17, 1e-10);
}
