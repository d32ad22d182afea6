// gradcheck finds wrong gradients of first and second order, names the index, checks in double, and knows kinks.
#include <tandem/autograd/gradcheck.h>

#include <doctest/doctest.h>

#include <string>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

using namespace tandem;

namespace {

Tensor doubles(std::initializer_list<double> values, const Shape& shape) { return Tensor(values, shape, DType::f64); }

/// x^2 whose gradient is wrong at element 1: 3 x instead of 2 x.
Tensor wrong_square(const Tensor& x) {
  return record("wrong_square", kernels::square(x.value()), {x}, {x}, [](const Tensor& dy, const Saved& saved, Needs) {
    return Grads{dy * saved[0] * doubles({2, 3, 2}, {3})};
  });
}

/// x^3 with the right gradient, whose own gradient is lost: the factor is a constant.
Tensor half_cube(const Tensor& x) {
  return record("half_cube", kernels::power(x.value(), 3.0), {x}, {Save(x.value())},
                [](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{dy * Tensor(kernels::multiply(kernels::square(saved[0].value()), 3))};
                });
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a right gradient passes, with both values per index") {
  const Tensor x = doubles({1, -2, 3}, {3});
  const GradcheckResult result = gradcheck([](const auto& in) { return square(in[0]); }, {x}, {.second_order = true});
  CHECK(result.passed());
  REQUIRE(result.inputs.size() == 3);
  CHECK(result.inputs[0].name == "input 0");
  CHECK(result.inputs[1].name == "second order, input 0");
  CHECK(result.inputs[2].name == "second order, dy");
  CHECK(result.inputs[0].analytic.shape() == Shape{3});
  CHECK(result.inputs[0].numeric.shape() == Shape{3});
  CHECK(result.to_string().find("passed") != std::string::npos);
}

TEST_CASE("a wrong gradient fails at its index") {
  const GradcheckResult result = gradcheck([](const auto& in) { return wrong_square(in[1]) + in[0]; },
                                           {doubles({5}, {1}), doubles({1, 2, 3}, {3})});
  CHECK_FALSE(result);
  REQUIRE(result.inputs.size() == 2);
  CHECK(result.inputs[0].passed());
  const GradcheckInput& bad = result.inputs[1];
  CHECK(bad.failures == 1);
  CHECK(bad.worst == std::vector<std::int64_t>{1});
  CHECK(bad.worst_analytic / bad.worst_numeric == doctest::Approx(1.5));
  CHECK(result.to_string().find("input 1 [3]: FAILED at 1 of 3, worst at [1]") != std::string::npos);
}

TEST_CASE("a gradient that cannot be differentiated again fails in second order only") {
  const auto f = [](const std::vector<Tensor>& in) { return half_cube(in[0]); };
  const Tensor x = doubles({1, 2}, {2});
  CHECK(gradcheck(f, {x}));
  const GradcheckResult second = gradcheck(f, {x}, {.second_order = true});
  CHECK_FALSE(second);
  CHECK(second.inputs[0].passed());
  CHECK_FALSE(second.inputs[1].passed());
  CHECK(second.inputs[2].passed());
}

TEST_CASE("values that are not finite fail") {
  CHECK_FALSE(gradcheck([](const auto& in) { return log(in[0]); }, {doubles({-1}, {1})}));
}

TEST_CASE("an input that is not used has gradient 0, an index input is handed through") {
  const Tensor index(Array::from(std::vector<std::int64_t>{1, 0}, {2}));
  const GradcheckResult result = gradcheck([](const auto& in) { return gather(in[0], 0, in[1]); },
                                           {doubles({1, 2}, {2}), index, doubles({3}, {1})});
  CHECK(result.passed());
  REQUIRE(result.inputs.size() == 2);
  CHECK(result.inputs[1].name == "input 2");
  CHECK(result.inputs[1].worst_analytic == 0);
}

TEST_CASE("single precision is checked in double, and what f holds in it is named") {
  const Tensor x({1, -2, 3}, {3}), c({2, 2, 2}, {3});
  const GradcheckResult result = gradcheck([](const auto& in) { return square(in[0]); }, {x}, {.second_order = true});
  CHECK_MESSAGE(result.passed(), result.to_string());
  CHECK(result.inputs[0].analytic.dtype() == DType::f64);
  CHECK(x.dtype() == DType::f32);
  CHECK(gradcheck([](const auto& in) { return square(in[0]); }, {Tensor(x.value().to(DType::bf16))}));
  CHECK(message_of([&] { gradcheck([&](const auto&) { return square(c); }, {x}); }) ==
        "gradcheck: output 0 is f32, must be f64: [3]; differences need double precision: convert what f holds itself "
        "with Array::to(DType::f64)");
}

TEST_CASE("a gradient is judged by its own size: a wrong one of a small function fails, beside a large one too") {
  const auto wrong_and_small = [](const std::vector<Tensor>& in) { return wrong_square(in[0]) * 1e-7; };
  const GradcheckResult small = gradcheck(wrong_and_small, {doubles({1, 2, 3}, {3})});
  CHECK_FALSE(small);
  CHECK(small.inputs[0].failures == 1);
  CHECK(gradcheck([](const auto& in) { return square(in[0]) * 1e-7; }, {doubles({1, 2, 3}, {3})}));
  const auto mixed = [](const std::vector<Tensor>& in) { return wrong_square(in[0]) * doubles({1, 1e-7, 1}, {3}); };
  const GradcheckResult beside = gradcheck(mixed, {doubles({1, 2, 3}, {3})});
  CHECK(beside.inputs[0].failures == 1);
  CHECK(beside.inputs[0].worst == std::vector<std::int64_t>{1});
  // Of numbers far larger than their change, rounding hides what is small: no verdict against it.
  CHECK(gradcheck([](const auto& in) { return square(in[0]) * 1e-3 + 1e6; }, {doubles({0.5, 1e-6}, {2})}));
}

TEST_CASE("at a kink every slope between both sides is right, others are not") {
  const GradcheckResult result = gradcheck([](const auto& in) { return relu(in[0]); }, {doubles({-1, 0, 2}, {3})});
  CHECK_MESSAGE(result.passed(), result.to_string());
  CHECK(result.inputs[0].kinks == 1);
  CHECK(result.to_string().find("f bends at 1") != std::string::npos);
  const auto steep = [](const std::vector<Tensor>& in) {
    return record("steep", kernels::relu(in[0].value()), {in[0]}, {},
                  [](const Tensor& dy, const Saved&, Needs) { return Grads{dy * 1.5}; });
  };
  const GradcheckResult wrong = gradcheck(steep, {doubles({0}, {1})});
  CHECK_FALSE(wrong);
  // Strong curvature is no kink.
  const GradcheckResult curved = gradcheck([](const auto& in) { return exp(in[0] * 40.0); }, {doubles({0.5}, {1})});
  CHECK(curved.inputs[0].kinks == 0);
}

TEST_CASE("empty inputs and inputs that make no difference are said") {
  const Tensor empty(Array::zeros({0, 3}, DType::f64));
  const GradcheckResult result = gradcheck([](const auto& in) { return sum(in[0]) + sum(in[1]); },
                                           {empty, doubles({1, 2}, {2}), doubles({3}, {1})}, {.second_order = true});
  CHECK_MESSAGE(result.passed(), result.to_string());
  CHECK(result.to_string().find("input 0 [0, 3]: ok, it holds no numbers") != std::string::npos);
  CHECK(result.inputs[1].is_used);
  CHECK_FALSE(result.inputs[2].is_used);
  CHECK(result.to_string().find("it makes no difference to f") != std::string::npos);
  // An input that is used but hidden from backward is a wrong gradient.
  CHECK_FALSE(gradcheck([](const auto& in) { return in[0] * in[1].detach(); }, {doubles({1}, {1}), doubles({2}, {1})}));
}

TEST_CASE("misuse is an error that says what to do") {
  const auto f = [](const std::vector<Tensor>& in) { return square(in[0]); };
  CHECK(message_of([&] { gradcheck(f, {}); }) ==
        "gradcheck: no input is floating: 0 inputs; there is nothing to check");
  CHECK(message_of([&] { gradcheck(f, {Tensor{}}); }) == "gradcheck: input 0 is not defined");
  Generator generator(1);
  const auto random = [&](const std::vector<Tensor>& in) { return dropout(in[0], 0.5, generator); };
  CHECK(message_of([&] { gradcheck(random, {Tensor(Array::full({64}, 1, DType::f64))}); }) ==
        "gradcheck: f gives two results for the same inputs; make its random numbers from a fixed seed");
}
