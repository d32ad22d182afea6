// Comparing one op with its golden case: value, gradients, and gradients of gradients where the file has them.
// Not here: the tables of cases (golden_cases.h, sequence_golden_cases.h).
#pragma once

#include <doctest/doctest.h>

#include <string>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>

#include "autograd/golden_cases.h"
#include "golden/golden_file.h"

namespace tandem::golden {

struct Precision {
  DType dtype;
  Layout layout;
  double tolerance;
};

inline void compare(const Safetensors& file, const std::string& name, const Compute& compute,
                    const Precision& precision) {
  CAPTURE(name);
  const auto prepare = [&](const Array& x) { return x.to(precision.dtype).to_layout(precision.layout); };
  const auto near = [&](const char* what, const Array& got, const Array& expected) {
    CAPTURE(what);
    CHECK(got.dtype() == (expected.dtype() == DType::i64 ? DType::i64 : precision.dtype));
    CHECK(relative_error(got, expected) <= precision.tolerance);
  };
  Inputs in;
  for (const Array& x : family(file, name, "x")) in.x.emplace_back(prepare(x), true);
  for (const Array& a : family(file, name, "a")) in.a.push_back(a.dtype() == DType::i64 ? a : prepare(a));

  const Tensor y = compute(in);
  near("y", y.value(), at(file, name + "/y"));
  if (in.x.empty()) return;

  const std::vector<Array> dx = family(file, name, "dx"), v = family(file, name, "v"), h = family(file, name, "h");
  const Tensor dy(prepare(at(file, name + "/dy")));
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

}  // namespace tandem::golden
