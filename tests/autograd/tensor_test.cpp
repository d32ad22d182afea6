// Tensor handles, leaves, and where gradients go.
#include <doctest/doctest.h>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/error.h>

using namespace tandem;

namespace {

Tensor leaf(std::initializer_list<double> values, const Shape& shape) {
  return Tensor(values, shape).set_requires_grad(true);
}

}  // namespace

TEST_CASE("backward leaves the gradient in the leaf, and adds until it is cleared") {
  Tensor x = leaf({1, 2, 3}, {3});
  sum(x * x).backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{2, 4, 6});
  const Array held = x.grad();
  sum(x).backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{3, 5, 7});
  CHECK(held.to_vector<double>() == std::vector<double>{2, 4, 6});
  x.zero_grad();
  CHECK_FALSE(x.has_grad());
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a bound gradient keeps its memory: the first assigns, later ones add") {
  Tensor x = leaf({1, 2}, {2});
  Array memory = Array::full({2}, 99);
  x.state()->grad = memory;
  x.state()->grad_bound = true;
  CHECK_FALSE(x.has_grad());
  sum(x * 3.0).backward();
  CHECK(memory.to_vector<double>() == std::vector<double>{3, 3});
  sum(x * 2.0).backward();
  CHECK(memory.to_vector<double>() == std::vector<double>{5, 5});
  x.zero_grad();
  sum(x).backward();
  CHECK(memory.to_vector<double>() == std::vector<double>{1, 1});
}

TEST_CASE("a value used twice gathers both gradients") {
  Tensor x = leaf({2}, {1});
  const Tensor y = x * x;         // x^2
  sum(y * y + y * x).backward();  // x^4 + x^3
  CHECK(x.grad().item() == 4 * 8 + 3 * 4);
}

TEST_CASE("detach, constants and no-grad scopes have no history") {
  Tensor x = leaf({2}, {1});
  CHECK_FALSE((x * x).detach().requires_grad());
  CHECK_FALSE((Tensor({1}, {1}) * 2.0).requires_grad());
  {
    const NoGradGuard guard;
    CHECK_FALSE((x * x).requires_grad());
    CHECK_FALSE(is_recording());
  }
  CHECK((x * x).requires_grad());
  CHECK_FALSE((x * x).is_leaf());
}

TEST_CASE("misuse is named") {
  Tensor x = leaf({1, 2}, {2});
  CHECK_THROWS_WITH_AS((x * x).backward(),
                       "backward: the output is not a scalar: [2]; give dy as a seed, or reduce it by sum()", Error);
  CHECK_THROWS_WITH_AS(sum(Tensor({1}, {1})).backward(),
                       "backward: the output has no history: no input of it requires a gradient, or recording was off",
                       Error);
  CHECK_THROWS_WITH_AS((x * x).backward(Array::zeros({3})),
                       "backward: the seed does not fit the output: seed [3], output [2]", Error);
  Tensor y = x * x;
  CHECK_THROWS_WITH_AS(y.set_requires_grad(false),
                       "set_requires_grad: only leaves can ask for a gradient; use detach()", Error);
  CHECK_THROWS_WITH_AS(Tensor(Array::arange(3), true),
                       "set_requires_grad: only floating numbers have gradients: dtype is i64", Error);
  CHECK_THROWS_WITH_AS(Tensor().value(), "value: tensor is not defined", Error);
  x.state()->locked = "evaluation weights are in use";
  CHECK_THROWS_WITH_AS(sum(x).backward(), "backward: parameter [2] is locked: evaluation weights are in use", Error);
}

TEST_CASE("a seed is the gradient of the output") {
  Tensor x = leaf({1, 2}, {2});
  (x * x).backward(Array::from({10, 100}, {2}));
  CHECK(x.grad().to_vector<double>() == std::vector<double>{20, 400});
}
