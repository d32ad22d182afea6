// Every op against the same promises: gradients by finite differences, also of gradients; the fused gradient equals the
// recorded one; f32 agrees with f64; strides do not matter. Read next: op_table.h, sequence_op_rows.h.
#include "op_table.h"
#include "array_op_rows.h"
#include "sequence_op_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// A copy whose last dim has gaps, or channels-last for images: other strides, same numbers.
Array with_gaps(const Array& x) {
  if (x.rank() == 0) return x.clone();
  Shape wide = x.shape();
  wide[-1] *= 2;
  Array y = Array::zeros(wide, x.dtype());
  y.fill(99);
  Array view = y.slice(-1, 0, wide[-1], 2);
  view.copy_from(x);
  return view;
}

Array channels_last(const Array& x) { return x.rank() == 4 ? x.to_layout(Layout::channels_last) : x.clone(); }

/// The numbers transposed in memory: dims in the opposite order.
Array reversed(const Array& x) {
  std::vector<int> dims;
  for (int dim = x.rank() - 1; dim >= 0; --dim) dims.push_back(dim);
  return x.permute(dims).contiguous().permute(dims);
}

struct Outcome {
  Array y;
  std::vector<Array> grads;  // of the floating inputs
};

enum class Path { fused, recorded };

/// Forward and gradients for a fixed dy.
Outcome run(const OpRow& row, DType dtype, const std::function<Array(const Array&)>& prepare, Path path) {
  Inputs inputs, wanted;
  for (const Tensor& x : row.inputs) {
    const bool floats = is_floating(x.dtype());
    inputs.emplace_back(prepare(floats ? x.value().to(dtype) : x.value()), floats && row.is_differentiable);
    if (floats) wanted.push_back(inputs.back());
  }
  const Tensor y = row.function(inputs);
  Outcome outcome{y.value(), {}};
  if (!row.is_differentiable) return outcome;
  Array dy = Array::empty(y.shape(), DType::f64);
  Generator(11).fill_normal(dy);
  const std::vector<Tensor> grads =
      grad({y}, wanted, {.create_graph = path == Path::recorded, .seeds = {Tensor(prepare(dy.to(dtype)))}});
  for (const Tensor& g : grads) outcome.grads.push_back(g.value());
  return outcome;
}

double largest_difference(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  const std::vector<double> u = a.to_vector<double>(), v = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double error = std::abs(u[i] - v[i]) / std::max(1.0, std::abs(v[i]));
    worst = std::isfinite(error) ? std::max(worst, error) : 1e300;
  }
  return worst;
}

void compare(const Outcome& a, const Outcome& b, double tolerance) {
  CHECK(largest_difference(a.y, b.y) <= tolerance);
  REQUIRE(a.grads.size() == b.grads.size());
  for (std::size_t i = 0; i < a.grads.size(); ++i) {
    CAPTURE(i);
    CHECK(largest_difference(a.grads[i], b.grads[i]) <= tolerance);
  }
}

Array same(const Array& x) { return x.clone(); }

/// The ops that have no second derivative, each with the reason.
const std::vector<std::pair<std::string, std::string>> kOnlyOnce{};

bool is_only_once(const OpRow& row) {
  return std::any_of(kOnlyOnce.begin(), kOnlyOnce.end(), [&](const auto& entry) { return entry.first == row.op; });
}

/// The rows of all tables.
std::vector<OpRow> all_rows() {
  std::vector<OpRow> rows = op_table();
  for (OpRow& row : sequence_op_table()) rows.push_back(std::move(row));
  for (OpRow& row : array_op_table()) rows.push_back(std::move(row));
  return rows;
}

/// "slice(x, dim, begin, end, step)" for each declaration in ops.h, sequence_ops.h and array_ops.h.
std::set<std::string> declared_ops() {
  std::stringstream buffer;
  for (const char* header : {"/autograd/ops.h", "/autograd/sequence_ops.h", "/autograd/array_ops.h"}) {
    std::ifstream file(std::string(TANDEM_SOURCE_DIR) + header);
    REQUIRE(file);
    buffer << file.rdbuf();
  }
  const std::string text = std::regex_replace(buffer.str(), std::regex("//[^\n]*"), "");
  const std::regex declaration(R"((?:Tensor|Tensor>|RecurrentResult) ([a-z_0-9]+|operator[-+*/])\(([^()]*)\)\s*[;{])");
  const std::regex defaults(R"(\s*=\s*(\{[^}]*\}|[^,]*))"), parameter(R"(([a-z_0-9]+)\s*$)");
  std::set<std::string> ops;
  for (std::sregex_iterator it(text.begin(), text.end(), declaration), end; it != end; ++it) {
    std::string line = (*it)[1].str() + "(";
    std::stringstream parameters(std::regex_replace((*it)[2].str(), defaults, ""));
    for (std::string one; std::getline(parameters, one, ',');) {
      std::smatch match;
      REQUIRE(std::regex_search(one, match, parameter));
      line += (line.back() == '(' ? "" : ", ") + match[1].str();
    }
    ops.insert(line + ")");
  }
  return ops;
}

}  // namespace

TEST_CASE("every op declared in a header of ops has a row, and every row an op") {
  const std::set<std::string> declared = declared_ops();
  REQUIRE(declared.size() > 80);
  std::set<std::string> rows;
  for (const OpRow& row : all_rows()) rows.insert(row.op);
  for (const std::string& op : declared) CHECK_MESSAGE(rows.contains(op), "no row for ", op);
  for (const std::string& op : rows) CHECK_MESSAGE(declared.contains(op), "no declaration of ", op);
}

TEST_CASE("every op can be differentiated again, but for those listed with their reason") {
  for (const OpRow& row : all_rows()) {
    if (!row.is_differentiable) continue;
    CAPTURE(row.op);
    CAPTURE(row.variant);
    const auto gradients = [&] { run(row, DType::f64, same, Path::recorded); };
    if (is_only_once(row)) {
      CHECK_THROWS_AS(gradients(), Error);
    } else {
      CHECK_NOTHROW(gradients());
    }
  }
}

TEST_CASE("gradients agree with finite differences at 1e-6, also of second order") {
  for (const OpRow& row : all_rows()) {
    CAPTURE(row.op);
    CAPTURE(row.variant);
    if (!row.is_differentiable) continue;
    const GradcheckResult result = gradcheck(row.function, row.inputs, {.second_order = !is_only_once(row)});
    CHECK_MESSAGE(result.passed(), result.to_string());
  }
}

TEST_CASE("an op without gradient gives results without history") {
  for (const OpRow& row : all_rows()) {
    if (row.is_differentiable) continue;
    CAPTURE(row.op);
    Inputs inputs;
    for (const Tensor& x : row.inputs) inputs.emplace_back(x.value(), is_floating(x.dtype()));
    CHECK_FALSE(row.function(inputs).requires_grad());
  }
}

TEST_CASE("the recorded gradient equals the fused one") {
  for (const OpRow& row : all_rows()) {
    CAPTURE(row.op);
    CAPTURE(row.variant);
    if (!row.is_differentiable || is_only_once(row)) continue;
    compare(run(row, DType::f64, same, Path::recorded), run(row, DType::f64, same, Path::fused), 1e-11);
  }
}

TEST_CASE("f32 agrees with f64, forward and gradients") {
  for (const OpRow& row : all_rows()) {
    CAPTURE(row.op);
    CAPTURE(row.variant);
    compare(run(row, DType::f32, same, Path::fused), run(row, DType::f64, same, Path::fused), 2e-5);
  }
}

TEST_CASE("strides do not matter") {
  struct Way {
    std::string name;
    Array (*prepare)(const Array&);
  };
  for (const Way& way : {Way{"gaps", with_gaps}, {"channels-last", channels_last}, {"reversed", reversed}}) {
    CAPTURE(way.name);
    for (const OpRow& row : all_rows()) {
      CAPTURE(row.op);
      CAPTURE(row.variant);
      compare(run(row, DType::f64, way.prepare, Path::fused), run(row, DType::f64, same, Path::fused), 1e-11);
      compare(run(row, DType::f32, way.prepare, Path::fused), run(row, DType::f32, same, Path::fused), 2e-5);
    }
  }
}
