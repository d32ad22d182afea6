// vector_math.h against the double functions of <cmath>, over all exponents and both signs: errors in units in the last
// place of the f32 result, as this file is compiled (plain x86-64) and as the kernels choose (with FMA where there is).
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/vector_math.h>

using namespace tandem;
namespace math = tandem::kernels::vector_math;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// |got - truth| in units in the last place of truth as f32; results that round to the same special value are exact.
double ulps(float got, double truth) {
  const float rounded = static_cast<float>(truth);
  if (std::isnan(truth) || std::isnan(got)) return std::isnan(truth) && std::isnan(got) ? 0 : INFINITY;
  if (got == rounded) return 0;
  if (std::isinf(got) || std::isinf(rounded)) return INFINITY;
  const int exponent = rounded == 0 ? -126 : std::max(-126, std::ilogb(rounded));
  return std::fabs(static_cast<double>(got) - truth) / std::ldexp(1.0, exponent - 23);
}

// Every 12,289th f32 (a prime, so that all exponents and many mantissas come up), and a dense stretch round 0 .. 20.
const Array& sweep() {
  static const Array x = [] {
    std::vector<float> values{
        0.0F,      -0.0F,           kInfinity,  -kInfinity, std::numeric_limits<float>::quiet_NaN(),
        88.72283F, 88.7229F,        -87.33655F, -103.97F,   -104.0F,
        1e-45F,    1.17549435e-38F, 0.625F,     1.0F,       2.0F};
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 12289) {
      values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    for (int i = -200000; i < 200000; ++i) values.push_back(static_cast<float>(i) * 1e-4F);
    return Array::from(values, {static_cast<std::int64_t>(values.size())});
  }();
  return x;
}

struct Worst {
  double plain = 0, kernel = 0;
};

Worst worst_ulps(float (*plain)(float), const std::function<Array(const Array&)>& kernel, double (*truth)(double),
                 float low = -kInfinity, float high = kInfinity) {
  const float* x = sweep().data<float>();
  const Array y = kernel(sweep());
  const float* got = y.data<float>();
  Worst worst;
  for (std::int64_t i = 0; i < sweep().size(); ++i) {
    if (x[i] < low || x[i] > high) continue;
    const double expected = truth(static_cast<double>(x[i]));
    worst.plain = std::max(worst.plain, ulps(plain(x[i]), expected));
    worst.kernel = std::max(worst.kernel, ulps(got[i], expected));
  }
  MESSAGE("worst error in units in the last place: plain ", worst.plain, ", kernel ", worst.kernel);
  return worst;
}

double truth_sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("exp") {
  const Worst worst =
      worst_ulps([](float x) { return math::exp(x); }, kernels::exp, [](double x) { return std::exp(x); });
  CHECK(worst.plain < 1.5);
  CHECK(worst.kernel < 1.5);
}

TEST_CASE("log") {
  const Worst worst =
      worst_ulps([](float x) { return math::log(x); }, kernels::log, [](double x) { return std::log(x); });
  CHECK(worst.plain < 1.5);
  CHECK(worst.kernel < 1.5);
}

TEST_CASE("tanh") {
  const Worst worst =
      worst_ulps([](float x) { return math::tanh(x); }, kernels::tanh, [](double x) { return std::tanh(x); });
  CHECK(worst.plain < 2.5);
  CHECK(worst.kernel < 2.5);
}

TEST_CASE("sigmoid") {
  const Worst worst = worst_ulps([](float x) { return math::sigmoid(x); }, kernels::sigmoid, truth_sigmoid);
  CHECK(worst.plain < 3);
  CHECK(worst.kernel < 3);
}

TEST_CASE("erf") {
  const Worst worst =
      worst_ulps([](float x) { return math::erf(x); }, kernels::erf, [](double x) { return std::erf(x); });
  CHECK(worst.plain < 2);
  CHECK(worst.kernel < 2);
}

TEST_CASE("the normal distribution, through gelu") {
  const auto gelu = [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); };
  const auto plain = [](float x) { return x * math::normal(x).cdf; };
  const Worst worst = worst_ulps(plain, kernels::gelu, gelu, -4, kInfinity);
  CHECK(worst.plain < 10);
  CHECK(worst.kernel < 10);
  // Below, the exponent x^2 / 2 is rounded: an error of x^2 / 2 units.
  const Worst tail = worst_ulps(plain, kernels::gelu, gelu, -12, -4);
  CHECK(tail.plain < 80);
  CHECK(tail.kernel < 80);
}

TEST_CASE("expm1 below 0, through elu") {
  const Worst worst =
      worst_ulps([](float x) { return math::expm1_nonpositive(x); }, [](const Array& x) { return kernels::elu(x, 1); },
                 [](double x) { return std::expm1(x); }, -kInfinity, 0);
  CHECK(worst.plain < 2.5);
  CHECK(worst.kernel < 2.5);
}

TEST_CASE("log(1 + e^x), through softplus") {
  const Worst worst =
      worst_ulps([](float e) { return math::log1p_unit(e); },
                 [](const Array& e) {  // softplus(log e) is no identity of f32, so the kernel is held below
                   Array y = Array::empty_like(e);
                   for (std::int64_t i = 0; i < e.size(); ++i) {
                     y.data<float>()[i] = math::log1p_unit(e.data<float>()[i]);
                   }
                   return y;
                 },
                 [](double e) { return std::log1p(e); }, 0, 1);
  CHECK(worst.plain < 2.5);
  const Worst softplus =
      worst_ulps([](float x) { return (x > 0 ? x : 0.0F) + math::log1p_unit(math::exp(-std::fabs(x))); },
                 kernels::softplus, [](double x) { return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::fabs(x))); });
  CHECK(softplus.plain < 4);
  CHECK(softplus.kernel < 4);
}

TEST_CASE("the gradient of elu keeps its digits far below 0") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Array x = Array::from({-10, -18, -30}, {3}, dtype), dy = Array::full({3}, 1, dtype);
    const auto got = kernels::elu_grad(dy, x, 2).to_vector<double>();
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(got[i] == doctest::Approx(2 * std::exp(x.to_vector<double>()[i])).epsilon(1e-6));
  }
}
