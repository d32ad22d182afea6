// Hooks on gradients: what they see, what they change, and when they go.
#include "ops_helpers.h"

#include <optional>

#include <tandem/autograd/record.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("a hook sees the gradient of an intermediate value, summed over its uses, and of a leaf") {
  Tensor x = leaf({1, 2}, {2});
  const Tensor h = x * 3.0;
  std::vector<double> of_h, of_x;
  int calls = 0;
  const GradientHook first = h.on_gradient([&](const Tensor& dh) {
    of_h = dh.value().to_vector<double>();
    ++calls;
  });
  const GradientHook second = x.on_gradient([&](const Tensor& dx) { of_x = dx.value().to_vector<double>(); });
  sum(h * h + h + x).backward();
  CHECK(of_h == std::vector<double>{7, 13});
  CHECK(of_x == std::vector<double>{22, 40});  // once, the sum of both uses
  CHECK(calls == 1);
  check_values(x.grad(), {22, 40});
}

TEST_CASE("what a hook gives takes the gradient's place, in the order of the hooks") {
  Tensor x = leaf({1, 2}, {2});
  const Tensor h = x * 1.0;
  const GradientHook twice = h.on_gradient([](const Tensor& dh) { return dh * 2.0; });
  const GradientHook more = h.on_gradient([](const Tensor& dh) { return dh + 1.0; });
  const GradientHook none = h.on_gradient([](const Tensor&) { return Tensor(); });
  const GradientHook at_leaf = x.on_gradient([](const Tensor& dx) { return dx * 10.0; });
  sum(h).backward(/*retain_graph=*/true);
  check_values(x.grad(), {30, 30});
  check_values(grad({sum(h)}, {h})[0], {3, 3});  // the gradient asked for is the one after the hooks
  check_values(grad({sum(h)}, {x})[0], {30, 30});
}

TEST_CASE("a hook goes with its handle, by remove, or stays by keep") {
  Tensor x = leaf({1}, {1});
  int calls = 0;
  const auto count = [&](const Tensor&) { ++calls; };
  { const GradientHook hook = x.on_gradient(count); }
  sum(x).backward();
  CHECK(calls == 0);
  GradientHook hook = x.on_gradient(count);
  GradientHook moved = std::move(hook);
  sum(x).backward();
  CHECK(calls == 1);
  moved.remove();
  moved.remove();
  sum(x).backward();
  CHECK(calls == 1);
  x.on_gradient(count).keep();
  sum(x).backward();
  CHECK(calls == 2);
  std::optional<GradientHook> outlives;
  {
    Tensor gone = leaf({1}, {1});
    outlives = gone.on_gradient(count);
  }
  outlives.reset();
  GradientHook itself;
  Tensor y = leaf({1}, {1});
  itself = y.on_gradient([&](const Tensor&) { itself.remove(); });
  sum(y).backward();
  sum(y).backward();
}

TEST_CASE("hooks live as long as the graph, and can be differentiated through") {
  Tensor x = leaf({2}, {1});
  Tensor y;
  {
    const Tensor h = square(x);
    h.on_gradient([](const Tensor& dh) { return dh * dh; }).keep();
    y = h * x;  // dy/dx = x^2 + (x)^2 2x = x^2 + 2 x^3 with the hook
  }
  const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
  CHECK(g.item() == 4 + 16);
  CHECK(grad({g}, {x})[0].item() == 2 * 2 + 6 * 4);
}

TEST_CASE("a bound gradient takes what the hook gives, and misuse is named") {
  Tensor x = leaf({1, 2}, {2});
  Array memory = Array::full({2}, 99);
  x.state()->grad = memory;
  x.state()->grad_bound = true;
  const GradientHook half = x.on_gradient([](const Tensor& dx) { return dx * 0.5; });
  sum(x).backward();
  check_values(memory, {0.5, 0.5});

  CHECK(message_of([&] { x.detach().on_gradient([](const Tensor&) {}).keep(); }) ==
        "on_gradient: the tensor asks for no gradient: [2]; set_requires_grad(true) on a leaf");
  CHECK(message_of([&] { Tensor().on_gradient([](const Tensor&) {}).keep(); }) == "on_gradient: tensor is not defined");
  const GradientHook wrong = x.on_gradient([](const Tensor& dx) { return sum(dx); });
  CHECK(message_of([&] { sum(x).backward(); }) ==
        "on_gradient: the gradient that the hook gives does not fit: hook [] f32, gradient [2] f32");
}
