// Arithmetic and functions of one number: hand values, and gradients at the points where formulas break.
#include "ops_helpers.h"

#include <cmath>
#include <limits>

#include <tandem/autograd/record.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("sums, products and quotients with broadcasting") {
  const Tensor a = leaf({1, 2, 3, 4, 5, 6}, {2, 3}), b = leaf({2, 4}, {2, 1});
  check_values(a + b, {3, 4, 5, 8, 9, 10});
  check_values(a - b, {-1, 0, 1, 0, 1, 2});
  check_values(a / b, {0.5, 1, 1.5, 1, 1.25, 1.5});
  const Tensor y = a * b;
  check_values(y, {2, 4, 6, 16, 20, 24});
  sum(y).backward();
  check_values(a.grad(), {2, 2, 2, 4, 4, 4});
  check_values(b.grad(), {6, 15});
}

TEST_CASE("numbers on either side") {
  const Tensor x = leaf({1, 2, 4}, {3});
  check_values(2 - x, {1, 0, -2});
  check_values(x - 2, {-1, 0, 2});
  check_values(x / 2, {0.5, 1, 2});
  const Tensor y = 8 / x;
  check_values(y, {8, 4, 2});
  sum(y).backward();
  check_values(x.grad(), {-8, -2, -0.5});
}

TEST_CASE("x * x + x counts every use of x") {
  const Tensor x = leaf({3}, {1});
  sum(x * x + x).backward();
  check_values(x.grad(), {7});
}

TEST_CASE("pow with whole exponents at 0") {
  for (const double c : {3.0, 2.0, 1.0, 0.0}) {
    CAPTURE(c);
    const Tensor x = leaf({0}, {1});
    sum(pow(x, c)).backward();
    check_values(x.grad(), {c == 1 ? 1.0 : 0.0});
  }
  check_values(pow(leaf({0, -2}, {2}), 0), {1, 1});
  check_values(pow(leaf({0, -2}, {2}), 3), {0, -8});
}

TEST_CASE("power at base 0 has the limits from above, not NaN") {
  const Tensor a = leaf({0, 0, 0, 2}, {4}), b = leaf({2, 1, 0, 3}, {4});
  const Tensor y = power(a, b);
  check_values(y, {0, 0, 1, 8});
  sum(y).backward();
  check_values(a.grad(), {0, 1, 0, 12});
  check_values(b.grad(), {0, 0, 0, 8 * std::log(2)});
}

TEST_CASE("maximum and minimum share the gradient between equals") {
  const Tensor a = leaf({1, 2, 3}, {3}), b = leaf({2, 2, 2}, {3});
  const Tensor y = maximum(a, b);
  check_values(y, {2, 2, 3});
  sum(y).backward();
  check_values(a.grad(), {0, 0.5, 1});
  check_values(b.grad(), {1, 0.5, 0});
  const Tensor c = leaf({1, 2, 3}, {3}), d = leaf({2}, {1});
  sum(minimum(c, d)).backward();
  check_values(c.grad(), {1, 0.5, 0});
  check_values(d.grad(), {1.5});
}

TEST_CASE("abs has gradient 0 at 0, clamp has gradient 1 on its bounds") {
  const Tensor x = leaf({-2, 0, 3}, {3});
  sum(abs(x)).backward();
  check_values(x.grad(), {-1, 0, 1});
  const Tensor z = leaf({-2, -1, 0, 1, 2}, {5});
  const Tensor y = clamp(z, -1, 1);
  check_values(y, {-1, -1, 0, 1, 1});
  sum(y).backward();
  check_values(z.grad(), {0, 1, 1, 1, 0});
}

TEST_CASE("activations by hand") {
  const Tensor x = leaf({-1, 0, 2}, {3});
  const double e = std::exp(-1);
  const auto check = [&](const Tensor& y, const std::vector<double>& values, const std::vector<double>& grads) {
    check_values(y, values);
    check_values(grad({sum(y)}, {x}).front(), grads);
  };
  check(relu(x), {0, 0, 2}, {0, 0, 1});
  check(leaky_relu(x, 0.1), {-0.1, 0, 2}, {0.1, 0.1, 1});
  check(elu(x, 2), {2 * (e - 1), 0, 2}, {2 * e, 2, 1});
  const double s = 1 / (1 + std::exp(1)), t = 1 / (1 + std::exp(-2));
  check(sigmoid(x), {s, 0.5, t}, {s * (1 - s), 0.25, t * (1 - t)});
  check(silu(x), {-s, 0, 2 * t}, {s * (1 - (1 - s)), 0.5, t * (1 + 2 * (1 - t))});
  check(softplus(x), {std::log1p(std::exp(-1)), std::log(2), std::log1p(std::exp(2))}, {s, 0.5, t});
  const auto phi = [](double v) { return std::exp(-v * v / 2) / std::sqrt(2 * M_PI); };
  const auto integral = [](double v) { return (1 + std::erf(v / std::sqrt(2))) / 2; };
  check(gelu(x), {-integral(-1), 0, 2 * integral(2)}, {integral(-1) - phi(-1), 0.5, integral(2) + 2 * phi(2)});
  check(tanh(x), {std::tanh(-1), 0, std::tanh(2)}, {1 - std::pow(std::tanh(1), 2), 1, 1 - std::pow(std::tanh(2), 2)});
}

TEST_CASE("activations of large numbers stay finite, also their gradients") {
  const Tensor x = leaf({-1000, 1000}, {2});
  for (const auto& f : {+[](const Tensor& v) { return sigmoid(v); }, +[](const Tensor& v) { return silu(v); },
                        +[](const Tensor& v) { return softplus(v); }, +[](const Tensor& v) { return gelu(v); },
                        +[](const Tensor& v) { return tanh(v); }, +[](const Tensor& v) { return elu(v); }}) {
    const Tensor y = f(x);
    for (const Tensor& z : {y, grad({sum(y)}, {x}).front()}) {
      for (const double v : z.value().to_vector<double>()) CHECK(std::isfinite(v));
    }
  }
}

TEST_CASE("second derivatives by hand: d2(x^3) = 6 x, d2(tanh x) = -2 y (1 - y^2)") {
  const Tensor x = leaf({2}, {1});
  const Tensor cube = grad({pow(x, 3)}, {x}, {.create_graph = true}).front();
  check_values(cube, {12});
  const Tensor second = grad({cube}, {x}, {.create_graph = true}).front();
  check_values(second, {12});
  check_values(grad({second}, {x}).front(), {6});
  const double y = std::tanh(2.0);
  check_values(grad({grad({tanh(x)}, {x}, {.create_graph = true}).front()}, {x}).front(), {-2 * y * (1 - y * y)});
}

TEST_CASE("only what a needed gradient uses is saved") {
  const Tensor a = leaf({1, 2, 3, 4}, {4}), constant(Array::full({4}, 2.0));
  const std::int64_t before = graph_stats().saved_bytes;
  {
    const Tensor y = a * constant;  // keeps the constant, not a
    CHECK(graph_stats().saved_bytes - before == 16);
    const Tensor z = a + constant;
    CHECK(graph_stats().saved_bytes - before == 16);
  }
  CHECK(graph_stats().saved_bytes == before);
}

TEST_CASE("errors name the op and the shapes") {
  const Tensor a = leaf({1, 2, 3, 4, 5, 6}, {2, 3}), b = leaf({1, 2}, {2});
  const std::string message = message_of([&] { add(a, b); });
  CHECK(message.substr(0, 4) == "add:");
  CHECK(message.find("[2, 3]") != std::string::npos);
  CHECK(message.find("[2]") != std::string::npos);
  CHECK(message_of([&] { multiply(a, Tensor{}); }).substr(0, 9) == "multiply:");
  CHECK(message_of([&] {
          exp(labels({1, 2}));
        }) == "exp: x is i64, must be floating: x [2]; convert it with to(DType::f32)");
  CHECK(message_of([&] { clamp(a, 1, 0); }) == "clamp: low is above high: low 1, high 0");
}
