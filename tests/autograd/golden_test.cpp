// Every op against PyTorch: value, gradients, and gradients of gradients where the golden file has them.
// The numbers stand in tests/golden/ops.safetensors; tests/golden/make_golden.py says how each case was made.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>

#include "autograd/golden_cases.h"
#include "golden/golden_file.h"

using namespace tandem;
using golden::Compute, golden::Inputs, golden::cases;

namespace {

struct Precision {
  DType dtype;
  Layout layout;
  double tolerance;
};

void compare(const Safetensors& file, const std::string& name, const Compute& compute, const Precision& precision) {
  CAPTURE(name);
  const auto prepare = [&](const Array& x) { return x.to(precision.dtype).to_layout(precision.layout); };
  const auto near = [&](const char* what, const Array& got, const Array& expected) {
    CAPTURE(what);
    CHECK(got.dtype() == (expected.dtype() == DType::i64 ? DType::i64 : precision.dtype));
    CHECK(golden::relative_error(got, expected) <= precision.tolerance);
  };
  Inputs in;
  for (const Array& x : golden::family(file, name, "x")) in.x.emplace_back(prepare(x), true);
  for (const Array& a : golden::family(file, name, "a")) in.a.push_back(a.dtype() == DType::i64 ? a : prepare(a));

  const Tensor y = compute(in);
  near("y", y.value(), golden::at(file, name + "/y"));
  if (in.x.empty()) return;

  const std::vector<Array> dx = golden::family(file, name, "dx"), v = golden::family(file, name, "v"),
                           h = golden::family(file, name, "h");
  const Tensor dy(prepare(golden::at(file, name + "/dy")));
  const std::vector<Tensor> got = grad({y}, in.x, {.create_graph = !v.empty(), .seeds = {dy}});
  REQUIRE(got.size() == dx.size());
  for (std::size_t i = 0; i < dx.size(); ++i) near("dx", got[i].value(), dx[i]);
  if (v.empty()) return;

  Tensor scalar;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Tensor term = sum(got[i] * Tensor(prepare(v[i])));
    scalar = scalar.defined() ? scalar + term : term;
  }
  const std::vector<Tensor> second = grad({scalar}, in.x, {.allow_unused = true});
  for (std::size_t i = 0; i < h.size(); ++i) {
    near("h", second[i].defined() ? second[i].value() : Array::zeros(h[i].shape(), precision.dtype), h[i]);
  }
}

void compare_all(const Precision& precision) {
  const Safetensors file = golden::load("ops.safetensors");
  for (const auto& [name, compute] : cases()) compare(file, name, compute, precision);
}

}  // namespace

TEST_CASE("golden: every op in f64 equals PyTorch") { compare_all({DType::f64, Layout::row_major, 1e-12}); }

TEST_CASE("golden: every op in f32 equals PyTorch's f64") { compare_all({DType::f32, Layout::row_major, 1e-5}); }

TEST_CASE("golden: every op in f32, channels-last, equals PyTorch's f64") {
  compare_all({DType::f32, Layout::channels_last, 1e-5});
}

TEST_CASE("golden: the file and the table have the same cases") {
  std::set<std::string> in_file, in_table;
  for (const NamedArray& entry : golden::load("ops.safetensors").arrays) {
    in_file.insert(entry.name.substr(0, entry.name.find('/')));
  }
  for (const auto& entry : cases()) in_table.insert(entry.first);
  CHECK(in_file == in_table);
}

TEST_CASE("golden: every op of ops.h has a case, except dropout, whose mask is random") {
  std::ifstream header(TANDEM_SOURCE_DIR "/autograd/ops.h");
  REQUIRE(header);
  std::set<std::string> covered = {"dropout"};
  for (const auto& entry : cases()) covered.insert(entry.first.substr(0, entry.first.find('.')));
  for (std::string line; std::getline(header, line);) {
    const std::size_t open = line.find('(');
    if (open == std::string::npos || line.find("operator") != std::string::npos) continue;
    const bool returns_tensors = line.starts_with("Tensor ") || line.starts_with("std::pair<Tensor, Tensor> ");
    if (!returns_tensors) continue;
    const std::size_t begin = line.rfind(' ', open) + 1;
    const std::string op = line.substr(begin, open - begin);
    CAPTURE(op);
    CHECK(covered.count(op) == 1);
  }
}
