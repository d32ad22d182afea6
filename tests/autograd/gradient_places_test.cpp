// Gradients of bound parameters are written where they belong, and those that arrive meanwhile are not lost.
#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

#include <tandem/autograd/gradient_places.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/product/matmul.h>

using namespace tandem;
using Doubles = std::vector<double>;

namespace {

Tensor random_leaf(Generator& g, const Shape& shape) {
  Array value = Array::empty(shape);
  g.fill_normal(value);
  return Tensor(value, true);
}

/// The same numbers, with memory for the gradient as an Optimizer binds it.
Tensor bound(const Tensor& x) {
  Tensor copy(x.value().clone(), true);
  copy.state()->grad = Array::full(x.shape(), 77);
  copy.state()->grad_bound = true;
  return copy;
}

}  // namespace

TEST_CASE("linear writes gradients of bound parameters in place, with the numbers that it gives elsewhere") {
  Generator g(1);
  for (const Shape& shape : {Shape{4, 3}, Shape{2, 5, 3}, Shape{3}, Shape{64, 200}}) {
    CAPTURE(shape.to_string());
    const Tensor x = random_leaf(g, shape), w = random_leaf(g, {130, shape[-1]}), b = random_leaf(g, {130});
    const Tensor bound_x = bound(x), bound_w = bound(w), bound_b = bound(b);
    const std::byte *const dw = bound_w.state()->grad.bytes(), *const db = bound_b.state()->grad.bytes();
    sum(square(linear(x, w, b))).backward();
    const std::uint64_t version = bound_w.state()->grad.version();
    sum(square(linear(bound_x, bound_w, bound_b))).backward();
    CHECK(bound_w.grad().bytes() == dw);
    CHECK(bound_b.grad().bytes() == db);
    CHECK(bound_w.grad().version() > version);
    CHECK(identical(bound_x.grad(), x.grad()));
    CHECK(identical(bound_w.grad(), w.grad()));
    CHECK(identical(bound_b.grad(), b.grad()));
    sum(linear(x, w, b)).backward();  // is added
    sum(linear(bound_x, bound_w, bound_b)).backward();
    CHECK(identical(bound_w.grad(), w.grad()));
    CHECK(identical(bound_b.grad(), b.grad()));
  }
}

TEST_CASE("a parameter that is used twice gets both gradients, and hooks see them") {
  Generator g(2);
  const Tensor x = random_leaf(g, {4, 3}), w = random_leaf(g, {3, 3}), bound_w = bound(w), hooked_w = bound(w);
  int seen = 0;
  const GradientHook hook = hooked_w.on_gradient([&](const Tensor& dw) {
    ++seen;
    CHECK(dw.shape() == Shape{3, 3});
  });
  for (const Tensor& weight : {w, bound_w, hooked_w}) sum(linear(tanh(linear(x, weight)), weight)).backward();
  CHECK(identical(bound_w.grad(), w.grad()));
  CHECK(identical(hooked_w.grad(), w.grad()));
  CHECK(seen == 1);
}

TEST_CASE("memory is given to one, while no gradient has arrived; those that arrive meanwhile wait") {
  Tensor leaf({1, 2}, {2});
  leaf.set_requires_grad(true);
  CHECK(take_gradient(*leaf.state()) == nullptr);  // not bound
  leaf = bound(leaf);
  Array* const place = take_gradient(*leaf.state());
  REQUIRE(place != nullptr);
  CHECK(take_gradient(*leaf.state()) == nullptr);
  leaf.accumulate_grad(Array::from({10, 20}, {2}));
  leaf.accumulate_grad(Array::from({100, 200}, {2}));
  CHECK_FALSE(leaf.has_grad());
  place->copy_from(Array::from({1, 2}, {2}));
  give_back_gradient(*leaf.state(), true);
  CHECK(leaf.grad().to_vector<double>() == Doubles{111, 222});
  CHECK(take_gradient(*leaf.state()) == nullptr);  // has arrived

  leaf.zero_grad();
  REQUIRE(take_gradient(*leaf.state()) != nullptr);
  leaf.accumulate_grad(Array::from({10, 20}, {2}));
  give_back_gradient(*leaf.state(), false);
  CHECK(leaf.grad().to_vector<double>() == Doubles{10, 20});

  leaf.zero_grad();
  REQUIRE(take_gradient(*leaf.state()) != nullptr);
  give_back_gradient(*leaf.state(), false);
  CHECK_FALSE(leaf.has_grad());
  leaf.state()->locked = "the test runs";
  CHECK(take_gradient(*leaf.state()) == nullptr);
}

TEST_CASE("a backward that throws gives the memory back") {
  const Tensor leaf = bound(Tensor({1, 2}, {2}));
  bool throws = true;
  const auto op = [&] {
    return record("op", leaf.value().clone(), {leaf}, {}, [&](const Tensor& dy, const Saved&, Needs needs) {
      Array* const place = needs.place(0);
      REQUIRE(place != nullptr);
      CHECK(needs.place(0) == nullptr);
      if (throws) throw std::runtime_error("no");
      place->copy_from(dy.value());
      return Grads(1);
    });
  };
  CHECK_THROWS_WITH_AS(op().backward(Array::from({5, 6}, {2})), "no", std::runtime_error);
  CHECK_FALSE(leaf.has_grad());
  throws = false;
  op().backward(Array::from({5, 6}, {2}));
  CHECK(leaf.grad().to_vector<double>() == Doubles{5, 6});
}
