// What an Array can do, on Tensors: casts and promotion with gradients, indices, errors; and every op of array_ops.h
// against PyTorch (tests/golden/array_ops.safetensors, made by make_array_golden.py).
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>

#include <tandem/core/error.h>

#include "autograd/array_golden_cases.h"
#include "autograd/golden_compare.h"

using namespace tandem;
using Doubles = std::vector<double>;

namespace {

Doubles values(const Tensor& x) { return x.value().to_vector<double>(); }

std::string message_of(auto&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

void compare_all(DType dtype, double tolerance) {
  const Safetensors file = golden::load("array_ops.safetensors");
  for (const auto& [name, compute] : golden::array_cases()) {
    if (name == "one_hot") continue;  // its dtype is asked for: below
    golden::compare(file, name, compute, {dtype, Layout::row_major, tolerance});
  }
}

}  // namespace

TEST_CASE("golden: every op of array_ops.h in f64 equals PyTorch") { compare_all(DType::f64, 1e-12); }

TEST_CASE("golden: every op of array_ops.h in f32 equals PyTorch's f64") { compare_all(DType::f32, 1e-5); }

TEST_CASE("golden: one_hot in any dtype") {
  const Safetensors file = golden::load("array_ops.safetensors");
  const Array &labels = golden::at(file, "one_hot/a0"), &rows = golden::at(file, "one_hot/y");
  for (const DType dtype : {DType::f64, DType::f32, DType::i64, DType::boolean, DType::f16}) {
    CHECK(identical(one_hot(labels, 5, dtype).value(), rows.to(dtype)));
  }
}

TEST_CASE("golden: the file and the table of array_ops.h have the same cases, and every op has one") {
  std::set<std::string> in_file, in_table, covered;
  for (const NamedArray& entry : golden::load("array_ops.safetensors").arrays)
    in_file.insert(entry.name.substr(0, entry.name.find('/')));
  for (const auto& entry : golden::array_cases()) {
    in_table.insert(entry.first);
    covered.insert(entry.first.substr(0, entry.first.find('.')));
  }
  CHECK(in_file == in_table);
  std::ifstream header(TANDEM_SOURCE_DIR "/autograd/array_ops.h");
  REQUIRE(header);
  int ops = 0;
  for (std::string line; std::getline(header, line);) {
    const std::size_t open = line.find('(');
    if (!line.starts_with("Tensor ") || open == std::string::npos) continue;
    const std::string op = line.substr(7, open - 7);
    CAPTURE(op);
    CHECK(covered.count(op) == 1);
    ++ops;
  }
  CHECK(ops > 20);
}

TEST_CASE("a cast gives its gradient back in the dtype of x") {
  for (const DType dtype : {DType::f16, DType::bf16, DType::f64}) {
    const Tensor x = Tensor({1.5, -2, 3}, {3}).set_requires_grad(true);
    const Tensor y = x.to(dtype);
    CHECK(y.dtype() == dtype);
    y.backward(Array::from({1, 2, 0.1}, {3}).to(dtype));
    CHECK(x.grad().dtype() == DType::f32);
    CHECK(identical(x.grad(), Array::from({1, 2, 0.1}, {3}).to(dtype).to(DType::f32)));
  }
  const Tensor x = Tensor({1.5}, {1}).set_requires_grad(true);
  CHECK(x.to(DType::f32).state() == x.state());
  CHECK_FALSE(x.to(DType::i32).requires_grad());
  CHECK_FALSE(Tensor(Array::arange(3)).to(DType::f32).requires_grad());
}

TEST_CASE("inputs of two dtypes are promoted, and each gets a gradient of its own dtype") {
  const Tensor a = Tensor({1, 2}, {2}).set_requires_grad(true);
  const Tensor b = Tensor({3, 4}, {2}, DType::bf16).set_requires_grad(true);
  const Tensor y = a * b;
  CHECK(y.dtype() == DType::f32);
  sum(y).backward();
  CHECK(a.grad().to_vector<double>() == Doubles{3, 4});
  CHECK(b.grad().dtype() == DType::bf16);
  CHECK(b.grad().to_vector<double>() == Doubles{1, 2});
  const Tensor counts(Array::from({2, 3}, {2}, DType::i32));
  CHECK((a * counts).dtype() == DType::f32);
  CHECK((counts + 1).dtype() == DType::i32);
  CHECK((counts + 0.5).dtype() == DType::f32);
  CHECK(values(counts / 2) == Doubles{1, 1.5});
  CHECK((a + scalar(1, DType::f64)).dtype() == DType::f32);
  const Tensor mask = greater(a, 1);
  CHECK(mask.dtype() == DType::boolean);
  CHECK(values(a * mask) == Doubles{0, 2});
  for (const auto& op : {maximum, minimum, power, divide}) {
    const Tensor u = Tensor({1, 2}, {2}).set_requires_grad(true);
    const Tensor v = Tensor({3, 0.5}, {2}, DType::f16).set_requires_grad(true);
    sum(op(u, v)).backward();
    CHECK(u.grad().dtype() == DType::f32);
    CHECK(v.grad().dtype() == DType::f16);
  }
}

TEST_CASE("indices: elements, ranges, all, from the back") {
  const Tensor x(Array::arange(24, DType::f32).reshape({2, 3, 4}));
  CHECK(values(x[1][2]) == Doubles{20, 21, 22, 23});
  CHECK(x[-1][-1][-1].item() == 23);
  CHECK(x(0, 1, 2).item() == 6);
  CHECK(x(slice(0, 1), all, -1).shape() == Shape{1, 3});
  CHECK(values(x(slice(0, 1), all, -1)) == Doubles{3, 7, 11});
  CHECK(values(x(1, slice(1), slice(0, kToEnd, 3))) == Doubles{16, 19, 20, 23});
  CHECK(values(x(1, slice(-2, -1), 0)) == Doubles{16});
  CHECK(x(1).value().storage() == x.value().storage());
  const std::int64_t i = 1;
  CHECK(x(i, std::size_t{0}).shape() == Shape{4});
  CHECK(message_of([&] { x(0, 0, 0, 0); }) == "index: 4 indices for 3 dims: x [2, 3, 4]");
  CHECK(message_of([&] { x[2]; }) == "select: index out of range: 2 in dim 0 of [2, 3, 4]");
  CHECK(message_of([&] { x(all, -4); }) == "select: index out of range: -4 in dim 1 of [2, 3, 4]");
  CHECK(message_of([&] { x(slice(0, 3)); }).starts_with("slice: 0:3:1 does not fit dim 0 of size 2"));
  const Tensor w = Tensor({1, 2, 3, 4}, {2, 2}).set_requires_grad(true);
  (w[1][0] * 5).backward();
  CHECK(w.grad().to_vector<double>() == Doubles{0, 0, 5, 0});
}

TEST_CASE("comparisons see NaN as PyTorch does") {
  const Tensor x(Array::from({0, NAN}, {2}));
  CHECK(values(equal(x, x)) == Doubles{1, 0});
  CHECK(values(not_equal(x, x)) == Doubles{0, 1});
  CHECK(values(less_equal(x, 1)) == Doubles{1, 0});
  CHECK(values(less(x, x)) == Doubles{0, 0});
  CHECK(values(not_equal(x, 0)) == Doubles{0, 1});
}
