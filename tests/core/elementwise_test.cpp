// Elementwise kernels: hand values, layouts, errors, and random twins against reference/elementwise.h in double.
// The accuracy of exp, log ... is in vector_math_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reference/elementwise.h>
#include <tandem/core/layout.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Doubles values(const Array& x) { return x.to_vector<double>(); }

struct Unary {
  const char* name;
  std::function<Array(const Array&)> kernel;
  std::function<double(double)> truth;
};

struct Binary {
  const char* name;
  std::function<Array(const Array&, const Array&)> kernel;
  std::function<double(double, double)> truth;
};

double cdf(double x) { return 0.5 * (1 + std::erf(x / std::sqrt(2.0))); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

const std::vector<Unary>& unaries() {
  static const std::vector<Unary> list{
      {"add", [](const Array& x) { return k::add(x, 1.5); }, [](double x) { return x + 1.5; }},
      {"multiply", [](const Array& x) { return k::multiply(x, -2.5); }, [](double x) { return x * -2.5; }},
      {"power 2", [](const Array& x) { return k::power(x, 2); }, [](double x) { return x * x; }},
      {"power 3", [](const Array& x) { return k::power(x, 3); }, [](double x) { return x * x * x; }},
      {"power -1", [](const Array& x) { return k::power(x, -1); }, [](double x) { return 1 / x; }},
      {"power 0.7", [](const Array& x) { return k::power(x, 0.7); }, [](double x) { return std::pow(x, 0.7); }},
      {"greater", [](const Array& x) { return k::greater(x, 0.5); }, [](double x) { return x > 0.5 ? 1.0 : 0.0; }},
      {"clamp", [](const Array& x) { return k::clamp(x, -1, 2); },
       [](double x) { return std::fmin(std::fmax(x, -1), 2); }},
      {"negate", [](const Array& x) { return k::negate(x); }, [](double x) { return -x; }},
      {"absolute", [](const Array& x) { return k::absolute(x); }, [](double x) { return std::fabs(x); }},
      {"sign", [](const Array& x) { return k::sign(x); }, [](double x) { return x > 0   ? 1.0
                                                                                : x < 0 ? -1.0
                                                                                        : 0.0; }},
      {"exp", [](const Array& x) { return k::exp(x); }, [](double x) { return std::exp(x); }},
      {"log", [](const Array& x) { return k::log(x); }, [](double x) { return std::log(x); }},
      {"sqrt", [](const Array& x) { return k::sqrt(x); }, [](double x) { return std::sqrt(x); }},
      {"reciprocal", [](const Array& x) { return k::reciprocal(x); }, [](double x) { return 1 / x; }},
      {"square", [](const Array& x) { return k::square(x); }, [](double x) { return x * x; }},
      {"sin", [](const Array& x) { return k::sin(x); }, [](double x) { return std::sin(x); }},
      {"cos", [](const Array& x) { return k::cos(x); }, [](double x) { return std::cos(x); }},
      {"erf", [](const Array& x) { return k::erf(x); }, [](double x) { return std::erf(x); }},
      {"tanh", [](const Array& x) { return k::tanh(x); }, [](double x) { return std::tanh(x); }},
      {"sigmoid", [](const Array& x) { return k::sigmoid(x); }, logistic},
      {"softplus", [](const Array& x) { return k::softplus(x); }, [](double x) { return std::log1p(std::exp(x)); }},
      {"relu", [](const Array& x) { return k::relu(x); }, [](double x) { return x > 0 ? x : 0; }},
      {"leaky_relu", [](const Array& x) { return k::leaky_relu(x, 0.1); },
       [](double x) { return x > 0 ? x : 0.1 * x; }},
      {"elu", [](const Array& x) { return k::elu(x, 1.3); }, [](double x) { return x > 0 ? x : 1.3 * std::expm1(x); }},
      {"gelu", [](const Array& x) { return k::gelu(x); }, [](double x) { return x * cdf(x); }},
      {"silu", [](const Array& x) { return k::silu(x); }, [](double x) { return x * logistic(x); }}};
  return list;
}

const std::vector<Binary>& binaries() {
  static const std::vector<Binary> list{
      {"add", [](const Array& a, const Array& b) { return k::add(a, b); }, [](double a, double b) { return a + b; }},
      {"subtract", k::subtract, [](double a, double b) { return a - b; }},
      {"multiply", [](const Array& a, const Array& b) { return k::multiply(a, b); },
       [](double a, double b) { return a * b; }},
      {"divide", k::divide, [](double a, double b) { return a / b; }},
      {"power", [](const Array& a, const Array& b) { return k::power(a, b); },
       [](double a, double b) { return std::pow(a, b); }},
      {"maximum", k::maximum, [](double a, double b) { return a > b ? a : b; }},
      {"minimum", k::minimum, [](double a, double b) { return a < b ? a : b; }},
      {"equal", [](const Array& a, const Array& b) { return k::equal(a, b); },
       [](double a, double b) { return a == b ? 1.0 : 0.0; }},
      {"greater", [](const Array& a, const Array& b) { return k::greater(a, b); },
       [](double a, double b) { return a > b ? 1.0 : 0.0; }},
      {"greater_equal", [](const Array& a, const Array& b) { return k::greater_equal(a, b); },
       [](double a, double b) { return a >= b ? 1.0 : 0.0; }},
      {"clamp_grad", [](const Array& dy, const Array& x) { return k::clamp_grad(dy, x, -1, 2); },
       [](double dy, double x) { return x >= -1 && x <= 2 ? dy : 0; }},
      {"relu_grad", k::relu_grad, [](double dy, double y) { return y > 0 ? dy : 0; }},
      {"leaky_relu_grad", [](const Array& dy, const Array& x) { return k::leaky_relu_grad(dy, x, 0.1); },
       [](double dy, double x) { return x > 0 ? dy : 0.1 * dy; }},
      {"gelu_grad", k::gelu_grad,
       [](double dy, double x) { return dy * (cdf(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0))); }},
      {"silu_grad", k::silu_grad, [](double dy, double x) { return dy * logistic(x) * (1 + x * (1 - logistic(x))); }},
      {"sigmoid_grad", k::sigmoid_grad, [](double dy, double y) { return dy * y * (1 - y); }},
      {"tanh_grad", k::tanh_grad, [](double dy, double y) { return dy * (1 - y * y); }}};
  return list;
}

Array naive(const Unary& op, const Array& x) {
  Array y = Array::empty(x.shape(), DType::f64);
  k::reference::map<double, float>(
      y, [&](double v) { return op.truth(v); }, x);
  return y;
}

Array naive(const Binary& op, const Array& a, const Array& b) {
  Array y = Array::empty(broadcast_shape("test", a.shape(), b.shape()), DType::f64);
  k::reference::map<double, float, float>(
      y, [&](double u, double v) { return op.truth(u, v); }, a, b);
  return y;
}

// A shape that broadcasts to `shape`: some sizes 1, some leading dims gone.
Shape broadcasting(Generator& g, const Shape& shape) {
  Shape result;
  const std::int64_t skipped = g.below(3) == 0 && shape.rank() > 0 ? g.below(shape.rank()) : 0;
  for (int d = static_cast<int>(skipped); d < shape.rank(); ++d) result.push_back(g.below(3) == 0 ? 1 : shape[d]);
  return result;
}

constexpr double kTolerance = 2e-6;  // pow of f32 loses most: about 16 units in the last place of 1 + |y|

}  // namespace

TEST_CASE("two arrays by hand, with broadcasting") {
  const Array a = Array::from({1, 2, 3, 4, 5, 6}, {2, 3}), b = Array::from({10, 20, 30}, {3});
  CHECK(values(k::add(a, b)) == Doubles{11, 22, 33, 14, 25, 36});
  CHECK(values(k::subtract(b, a)) == Doubles{9, 18, 27, 6, 15, 24});
  CHECK(values(k::multiply(a, Array::from({2, 3}, {2, 1}))) == Doubles{2, 4, 6, 12, 15, 18});
  CHECK(values(k::divide(a, Array::scalar(2))) == Doubles{0.5, 1, 1.5, 2, 2.5, 3});
  CHECK(k::add(Array::from({1, 2}, {2, 1}), Array::from({10, 20, 30}, {1, 3})).shape() == Shape{2, 3});
  CHECK(values(k::maximum(a, Array::scalar(3))) == Doubles{3, 3, 3, 4, 5, 6});
  CHECK(values(k::minimum(a, Array::scalar(3))) == Doubles{1, 2, 3, 3, 3, 3});
  CHECK(values(k::equal(a, Array::scalar(3))) == Doubles{0, 0, 1, 0, 0, 0});
  CHECK(values(k::greater(a, Array::scalar(3))) == Doubles{0, 0, 0, 1, 1, 1});
  CHECK(values(k::greater_equal(a, Array::scalar(3))) == Doubles{0, 0, 1, 1, 1, 1});
  CHECK(k::greater_equal(a, Array::scalar(3)).dtype() == DType::boolean);
}

TEST_CASE("one array by hand") {
  const Array x = Array::from({-2, -0.5, 0, 3}, {4});
  CHECK(values(k::relu(x)) == Doubles{0, 0, 0, 3});
  CHECK(values(k::leaky_relu(x, 0.5)) == Doubles{-1, -0.25, 0, 3});
  CHECK(values(k::sign(x)) == Doubles{-1, -1, 0, 1});
  CHECK(values(k::clamp(x, -1, 1)) == Doubles{-1, -0.5, 0, 1});
  CHECK(values(k::square(x)) == Doubles{4, 0.25, 0, 9});
  CHECK(values(k::where(Array::from({1, 0, 2, 0}, {4}, DType::u8), x, k::negate(x))) == Doubles{-2, 0.5, 0, -3});
  CHECK(k::softplus(Array::scalar(0)).item() == doctest::Approx(0.69314718));
  CHECK(k::elu(Array::scalar(-1), 2).item() == doctest::Approx(2 * (std::exp(-1.0) - 1)));
  CHECK(values(k::elu_grad(Array::full({4}, 1), x, 1))[3] == 1);
}

TEST_CASE("infinities and NaN") {
  const Array x = Array::from({-kInfinity, kInfinity, kNaN}, {3});
  for (const Unary& op : unaries()) {
    const std::string name = op.name;
    if (name.starts_with("sign") || name == "silu" || name == "gelu") continue;  // below
    CAPTURE(name);
    const Doubles got = values(op.kernel(x));
    if (name == "clamp" || name == "greater" || name == "power 0.7") continue;  // NaN there is told apart below
    CHECK(worst_error(op.kernel(x).slice(0, 0, 2), naive(op, x).slice(0, 0, 2)) < kTolerance);
    if (name != "relu") CHECK(std::isnan(got[2]));
  }
  CHECK(std::isnan(values(k::relu(x))[2]));
  CHECK(std::isnan(values(k::clamp(x, 0, 1))[2]));
  CHECK(values(k::greater(x, 0)) == Doubles{0, 1, 0});
  CHECK(values(k::sign(x))[0] == -1);
  CHECK(values(k::silu(x))[1] == kInfinity);
  CHECK(values(k::gelu(x))[1] == kInfinity);
  CHECK(std::isnan(k::maximum(Array::scalar(kNaN), Array::scalar(1)).item()));
  CHECK(std::isnan(k::maximum(Array::scalar(1), Array::scalar(kNaN)).item()));
  CHECK(std::isnan(k::minimum(Array::scalar(1), Array::scalar(kNaN)).item()));
}

TEST_CASE("other dtypes") {
  const Array i = Array::from({7, -8, 9}, {3}, DType::i64), j = Array::from({2, 3, -4}, {3}, DType::i64);
  CHECK(k::divide(i, j).dtype() == DType::f32);
  CHECK(values(k::divide(i, j.slice(0, 0, 1))) == Doubles{3.5, -4, 4.5});
  CHECK(std::isinf(k::divide(i, Array::zeros({3}, DType::i64)).at({0})));
  CHECK(k::add(i, 1).dtype() == DType::i64);
  CHECK(values(k::absolute(i)) == Doubles{7, 8, 9});
  const Array u = Array::from({250, 3}, {2}, DType::u8);
  CHECK(values(k::greater(u, 100)) == Doubles{1, 0});
  const Array h = Array::from({1.5, -2.25}, {2}).to(DType::bf16);
  CHECK(k::multiply(h, h).dtype() == DType::bf16);
  CHECK(values(k::multiply(h, h)) == Doubles{2.25, 5.0625});
  const Array d = Array::from({0.1, 0.7}, {2}, DType::f64);
  CHECK(values(k::exp(d)) == Doubles{std::exp(0.1), std::exp(0.7)});
  CHECK(values(k::where(Array::from({0, 256}, {2}, DType::i64), d, k::negate(d))) == Doubles{-0.1, 0.7});
}

TEST_CASE("outputs follow the layout of their inputs") {
  const Array x = Array::full({2, 3, 4, 5}, 1).to_layout(Layout::channels_last);
  const Array bias = Array::full({1, 3, 1, 1}, 2), row_major = Array::full({2, 3, 4, 5}, 1);
  CHECK(k::relu(x).is_channels_last());
  CHECK(k::add(bias, x).is_channels_last());
  CHECK(k::add(x, row_major).is_channels_last());
  CHECK(k::add(row_major, x).is_contiguous());
  CHECK(k::exp(row_major.transpose(2, 3)).is_contiguous());
}

TEST_CASE("errors name the kernel, the inputs and what differs") {
  const Array a = Array::zeros({2, 3}), b = Array::zeros({4});
  Array i = Array::zeros({2}, DType::i64);
  CHECK(message_of([&] { k::add(a, b); }) == "add: shapes do not broadcast: a [2, 3], b [4]");
  CHECK(message_of([&] { k::add_into(i, b); }) == "add_into: dtypes differ: y is i64, x is f32; convert one with to()");
  CHECK(message_of([&] { k::exp(i); }) == "exp: x is i64, must be floating: x [2]; convert it with to(DType::f32)");
  CHECK(message_of([&] { k::exp(Array()); }) == "exp: x is not defined");
  CHECK(message_of([&] { k::relu_grad(a, Array()); }) == "relu_grad: y is not defined");
  CHECK(message_of([&] { k::add(i, 1e30); }) == "add: 1e+30 is not a number of i64: x is i64; convert x with to()");
  CHECK(message_of([&] { k::scale_into(i, 0.5); }) ==
        "scale_into: 0.5 is not a number of i64: y is i64; convert y with to()");
  CHECK(message_of([&] { k::clamp(a, 2, 1); }) == "clamp: low is above high: low 2, high 1");
  Array y = Array::zeros({2, 3});
  CHECK(message_of([&] { k::add_into(y, b); }) == "add_into: shapes differ: y [2, 3], x [4]");
}

TEST_CASE("one input: every kernel equals its naive twin on random shapes and memory orders") {
  Generator g(11);
  for (const Unary& op : unaries()) {
    CAPTURE(op.name);
    for (int trial = 0; trial < 30; ++trial) {
      const Array x = random_array(g, random_shape(g), random_memory(g));
      CAPTURE(x.shape().to_string());
      REQUIRE(worst_error(op.kernel(x), naive(op, x)) < kTolerance);
      REQUIRE(worst_error(op.kernel(x.to(DType::f64)), naive(op, x)) < 1e-12);
      REQUIRE(worst_error(op.kernel(x.to(DType::bf16)), naive(op, x.to(DType::bf16).to(DType::f32))) < 0.0079);
    }
    const Array x = random_array(g, large_shapes()[static_cast<std::size_t>(g.below(4))], random_memory(g));
    REQUIRE(worst_error(op.kernel(x), naive(op, x)) < kTolerance);
  }
}

TEST_CASE("two inputs: every kernel equals its naive twin on random shapes, memory orders and broadcasts") {
  Generator g(12);
  for (const Binary& op : binaries()) {
    CAPTURE(op.name);
    const auto check = [&](const Shape& shape) {
      Array a = random_array(g, broadcasting(g, shape), random_memory(g));
      Array b = random_array(g, shape, random_memory(g));
      if (g.below(2) == 0) std::swap(a, b);
      CAPTURE(a.shape().to_string());
      CAPTURE(b.shape().to_string());
      REQUIRE(worst_error(op.kernel(a, b), naive(op, a, b)) < kTolerance);
      if (shape.count() > 10000) return;
      REQUIRE(worst_error(op.kernel(a.to(DType::f64), b.to(DType::f64)), naive(op, a, b)) < 1e-12);
    };
    for (int trial = 0; trial < 60; ++trial) check(random_shape(g));
    check(large_shapes()[static_cast<std::size_t>(g.below(4))]);
  }
}

TEST_CASE("three inputs equal their naive twins") {
  Generator g(13);
  const auto check = [&](const Shape& shape) {
    const Array u = random_array(g, broadcasting(g, shape), random_memory(g));
    const Array v = random_array(g, shape, random_memory(g));
    const Array c = k::greater(random_array(g, broadcasting(g, shape), random_memory(g)), 0).to(DType::f32);
    Array truth = Array::empty(shape, DType::f64);
    k::reference::map<double, float, float, float>(
        truth, [](float t, float a, float b) { return t != 0 ? a : b; }, c, u, v);
    CHECK(worst_error(k::where(c, u, v), truth) == 0);
    CHECK(worst_error(k::where(c.to(DType::u8), u, v), truth) == 0);
    CHECK(worst_error(k::where(c.to(DType::boolean), u, v), truth) == 0);
    CHECK(worst_error(k::where(c.to(DType::i64), u, v), truth) == 0);
    k::reference::map<double, float, float>(
        truth, [](double d, double x) { return d * (x > 0 ? 1 : 1.3 * std::exp(x)); }, u, v);
    CHECK(worst_error(k::elu_grad(u, v, 1.3), truth) < kTolerance);
  };
  for (int trial = 0; trial < 60; ++trial) check(random_shape(g));
  for (const Shape& shape : large_shapes()) check(shape);
}

TEST_CASE("the number of threads does not change a bit") {
  Generator g(15);
  const int before = threads();
  const Array a = random_array(g, {8, 16, 33, 31}, Memory::channels_last), b = random_array(g, {1, 16, 1, 1});
  set_threads(1);
  const Array rows = random_array(g, {2, 100003}), column = random_array(g, {2, 1}),
              matrix = random_array(g, {333, 257});
  const Array one = k::gelu(k::add(a, b)), long_rows = k::add(rows, column);
  const Array turned = matrix.transpose(0, 1).contiguous();
  set_threads(3);
  CHECK(identical(one, k::gelu(k::add(a, b))));
  CHECK(identical(long_rows, k::add(rows, column)));
  CHECK(identical(turned, matrix.transpose(0, 1).contiguous()));
  CHECK(turned.at({256, 332}) == matrix.at({332, 256}));
  set_threads(before);
}
