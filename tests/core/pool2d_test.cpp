// Pooling: hand values, errors, and every kernel against its naive twin over shapes, options and memory orders.
#include <doctest/doctest.h>

#include <limits>

#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/core/kernels/reference/pool2d.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

struct Problem {
  const char* name;
  Shape x;
  Pool2dOptions options;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> table{
      {"2x2", {3, 16, 8, 8}, {}},
      {"2x2 with a rest", {2, 5, 7, 9}, {}},
      {"3x3 stride 2 padded", {2, 19, 12, 11}, {.kernel = 3, .stride = 2, .padding = 1}},
      {"3x3 stride 2 without padding places",
       {2, 8, 9, 9},
       {.kernel = 3, .stride = 2, .padding = 1, .count_padding = false}},
      {"overlapping", {1, 3, 6, 5}, {.kernel = 3, .stride = 1, .padding = {1, 0}}},
      {"asymmetric", {2, 4, 10, 12}, {.kernel = {2, 3}, .stride = {1, 2}}},
      {"gaps", {2, 4, 11, 11}, {.kernel = 2, .stride = 3}},
      {"whole image", {4, 10, 5, 7}, {.kernel = {5, 7}}},
      {"one place", {4, 10, 1, 1}, {.kernel = 1}},
      {"one channel", {3, 1, 6, 6}, {}},
      {"large", {16, 64, 16, 16}, {.kernel = 3, .stride = 2, .padding = 1}},
  };
  return table;
}

constexpr Memory kOrders[] = {Memory::row_major, Memory::channels_last, Memory::sliced};

/// Numbers of a few values only, so that windows have equal maxima.
Array with_ties(Generator& g, const Shape& shape, Memory memory) {
  Array x = random_array(g, shape, memory).clone();
  for (std::int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = std::floor(x.data<float>()[i]);
  return x;
}

}  // namespace

TEST_CASE("max_pool2d: hand values") {
  const Array x = Array::from({1, 2, 5, 6, 3, 4, 8, 7, 9, 9, 0, 0, 9, 9, 0, 1}, {1, 1, 4, 4});
  const auto [y, chosen] = k::max_pool2d(x, {});
  CHECK(y.to_vector<double>() == Doubles{4, 8, 9, 1});
  CHECK(chosen.to_vector<double>() == Doubles{3, 2, 0, 3});
  const Array dx = k::max_pool2d_grad(Array::from({1, 2, 3, 4}, {1, 1, 2, 2}), chosen, x.shape(), {});
  CHECK(dx.to_vector<double>() == Doubles{0, 0, 0, 0, 0, 1, 2, 0, 3, 0, 0, 0, 0, 0, 0, 4});
  CHECK(k::max_pool2d_take(x, chosen, {}).to_vector<double>() == Doubles{4, 8, 9, 1});
}

TEST_CASE("max_pool2d: padding never wins and NaN always does") {
  const Array low = Array::full({1, 1, 2, 2}, -1e30);
  CHECK(k::max_pool2d(low, {.kernel = 3, .stride = 1, .padding = 1}).first.to_vector<float>() ==
        std::vector<float>(4, -1e30F));
  for (const DType dtype : {DType::f32, DType::f64}) {
    Array x = Array::full({1, 1, 2, 2}, 3, dtype);
    x.set({0, 0, 1, 0}, std::numeric_limits<double>::quiet_NaN());
    const auto [y, chosen] = k::max_pool2d(x, {});
    CHECK(std::isnan(y.item()));
    CHECK(chosen.item() == 2);
    const Array negative = Array::full({1, 8, 2, 2}, -std::numeric_limits<double>::infinity(), dtype);
    CHECK(k::max_pool2d(negative, {}).second.to_vector<double>() == Doubles(8, 0));
  }
}

TEST_CASE("average pooling: hand values") {
  const Array x = Array::from({1, 2, 3, 4}, {1, 1, 2, 2});
  CHECK(k::average_pool2d(x, {}).to_vector<double>() == Doubles{2.5});
  const Pool2dOptions padded{.kernel = 2, .stride = 2, .padding = 1};
  CHECK(k::average_pool2d(x, padded).to_vector<double>() == Doubles{0.25, 0.5, 0.75, 1});
  Pool2dOptions inside = padded;
  inside.count_padding = false;
  CHECK(k::average_pool2d(x, inside).to_vector<double>() == Doubles{1, 2, 3, 4});
  CHECK(k::average_pool2d_grad(Array::full({1, 1, 1, 1}, 8), x.shape(), {}).to_vector<double>() == Doubles(4, 2));
  CHECK(k::global_average_pool2d(x).to_vector<double>() == Doubles{2.5});
  CHECK(k::global_average_pool2d(x).shape() == Shape{1, 1});
  CHECK(k::global_average_pool2d_grad(Array::full({1, 1}, 8), x.shape()).to_vector<double>() == Doubles(4, 2));
}

TEST_CASE("pooling: every kernel equals its twin, in every memory order") {
  Generator g(1);
  for (const Problem& p : problems())
    for (const Memory memory : kOrders) {
      CAPTURE(p.name);
      CAPTURE(static_cast<int>(memory));
      const Array x = with_ties(g, p.x, memory);
      const Shape shape = k::pool2d_shape("test", p.x, p.options);
      const Array dy = random_array(g, shape, memory), x64 = x.to(DType::f64), dy64 = dy.to(DType::f64);

      const auto [y, chosen] = k::max_pool2d(x, p.options);
      const auto [y64, chosen64] = k::max_pool2d(x64, p.options);
      CHECK(y.shape() == shape);
      CHECK(y.is_channels_last());
      CHECK(worst_error(y, y64) == 0);
      CHECK(identical(chosen, chosen64));
      const Array places = memory == Memory::row_major ? chosen.contiguous() : chosen;
      CHECK(worst_error(k::max_pool2d_grad(dy, places, p.x, p.options),
                        k::max_pool2d_grad(dy64, chosen, p.x, p.options)) < 1e-5);
      CHECK(worst_error(k::max_pool2d_take(x, places, p.options), y64) == 0);
      CHECK(worst_error(k::max_pool2d_take(x64, places, p.options), y64) == 0);

      CHECK(worst_error(k::average_pool2d(x, p.options), k::average_pool2d(x64, p.options)) < 1e-5);
      CHECK(worst_error(k::average_pool2d_grad(dy, p.x, p.options), k::average_pool2d_grad(dy64, p.x, p.options)) <
            1e-5);
      CHECK(worst_error(k::global_average_pool2d(x), k::global_average_pool2d(x64)) < 1e-5);
      const Array dmean = random_array(g, {p.x[0], p.x[1]}, memory);
      CHECK(worst_error(k::global_average_pool2d_grad(dmean, p.x),
                        k::global_average_pool2d_grad(dmean.to(DType::f64), p.x)) < 1e-5);
    }
}

TEST_CASE("pooling: the gradient is the transpose") {
  Generator g(2);
  const Pool2dOptions o{.kernel = 3, .stride = 2, .padding = 1};
  const Array x = random_array(g, {2, 3, 7, 8}).to(DType::f64);
  const Array y = k::average_pool2d(x, o), dy = random_array(g, y.shape()).to(DType::f64);
  const auto dot = [](const Array& a, const Array& b) {
    const Doubles p = a.to_vector<double>(), q = b.to_vector<double>();
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * q[i];
    return sum;
  };
  CHECK(dot(y, dy) == doctest::Approx(dot(x, k::average_pool2d_grad(dy, x.shape(), o))));
  const Array chosen = k::max_pool2d(x, o).second;
  CHECK(dot(k::max_pool2d_take(x, chosen, o), dy) ==
        doctest::Approx(dot(x, k::max_pool2d_grad(dy, chosen, x.shape(), o))));
}

TEST_CASE("pooling: f32 has the bits of the definition, at any number of channels, with ties and NaN") {
  Generator g(4);
  for (std::int64_t C = 1; C <= 34; ++C)
    for (const Pool2dOptions& o : {Pool2dOptions{.stride = 2}, Pool2dOptions{.kernel = 3, .stride = 2, .padding = 1},
                                   Pool2dOptions{.kernel = 2, .stride = 3, .padding = 1},
                                   Pool2dOptions{.kernel = {3, 2}, .stride = {3, 2}, .padding = {1, 1}},
                                   Pool2dOptions{.kernel = {1, 2}, .stride = {2, 2}}}) {
      CAPTURE(C);
      CAPTURE(to_string(o.kernel));
      CAPTURE(to_string(o.stride));
      const Shape shape{2, C, 9, 11};
      Array x = with_ties(g, shape, Memory::channels_last);
      for (int i = 0; i < 60; ++i) x.data<float>()[g.below(x.size())] = std::numeric_limits<float>::quiet_NaN();
      const auto [y, chosen] = k::max_pool2d(x, o);
      Array y_twin = Array::empty_like(y), chosen_twin = Array::empty_like(chosen);
      k::reference::max_pool2d<float>(x, o, y_twin, chosen_twin);
      CHECK(identical(y, y_twin));
      CHECK(identical(chosen, chosen_twin));
      Array dy = random_array(g, y.shape(), Memory::channels_last);
      dy.data<float>()[0] = -0.0F;
      const Array dx = k::max_pool2d_grad(dy, chosen, shape, o);
      Array dx_twin = Array::empty_like(dx);
      k::reference::max_pool2d_grad<float>(dy, chosen, o, dx_twin);
      CHECK(identical(dx, dx_twin));
      CHECK(identical(k::max_pool2d_take(x, chosen, o), y_twin));
      CHECK(worst_error(k::average_pool2d(x, o), k::average_pool2d(x.to(DType::f64), o)) < 1e-6);
      CHECK(worst_error(k::average_pool2d_grad(dy, shape, o), k::average_pool2d_grad(dy.to(DType::f64), shape, o)) <
            1e-6);
    }
}

TEST_CASE("pooling: a choice outside of the image, which no forward makes, writes nothing") {
  const Pool2dOptions o{.kernel = 3, .stride = 1, .padding = 1};
  const Array dy = Array::full({1, 2, 4, 4}, 1), chosen = Array::full({1, 2, 4, 4}, 255, DType::u8);
  CHECK(k::max_pool2d_grad(dy, chosen, dy.shape(), o).to_vector<float>() == std::vector<float>(32, 0.0F));
}

TEST_CASE("pooling: bf16 and f16 are the twin in double, rounded once") {
  Generator g(3);
  for (const Problem& p : problems())
    for (const DType dtype : {DType::bf16, DType::f16}) {
      CAPTURE(p.name);
      CAPTURE(name(dtype));
      const double half_unit = dtype == DType::bf16 ? 0x1p-8 : 0x1p-11;
      const Array x = random_array(g, p.x, Memory::channels_last).to(dtype), wide = x.to(DType::f64);
      const auto [y, chosen] = k::max_pool2d(x, p.options);
      const auto [y_twin, chosen_twin] = k::max_pool2d(wide, p.options);
      CHECK(y.dtype() == dtype);
      CHECK(worst_error(y, y_twin) == 0);
      CHECK(identical(chosen, chosen_twin));
      const Array dy = random_array(g, y.shape(), Memory::channels_last).to(dtype), dy_wide = dy.to(DType::f64);
      const auto close = [limit = half_unit + 1e-5](const Array& a, const Array& b) {
        return worst_error(a, b) < limit;
      };
      CHECK(close(k::max_pool2d_grad(dy, chosen, p.x, p.options), k::max_pool2d_grad(dy_wide, chosen, p.x, p.options)));
      CHECK(worst_error(k::max_pool2d_take(x, chosen, p.options), y_twin) == 0);
      CHECK(close(k::average_pool2d(x, p.options), k::average_pool2d(wide, p.options)));
      CHECK(close(k::average_pool2d_grad(dy, p.x, p.options), k::average_pool2d_grad(dy_wide, p.x, p.options)));
      CHECK(close(k::global_average_pool2d(x), k::global_average_pool2d(wide)));
      CHECK(k::average_pool2d(x, p.options).dtype() == dtype);
      CHECK(k::max_pool2d_grad(dy, chosen, p.x, p.options).dtype() == dtype);
    }
}

TEST_CASE("pooling: errors") {
  const auto message = [](const Shape& x, const Pool2dOptions& o) {
    return message_of([&] { k::pool2d_shape("max_pool2d", x, o); });
  };
  CHECK(message({3, 4}, {}) == "max_pool2d: x is [3, 4], must be [N, C, H, W]");
  CHECK(message({1, 1, 2, 2}, {.kernel = 3}) ==
        "max_pool2d: the kernel is larger than the padded image: x [1, 1, 2, 2], kernel 3x3, padding 0x0");
  CHECK(message({1, 1, 8, 8}, {.kernel = 0, .stride = 1}) == "max_pool2d: kernel is 0x0, must be at least 1");
  CHECK(message({1, 1, 8, 8}, {.kernel = 2, .padding = 2}) ==
        "max_pool2d: padding is 2x2, must be below the kernel 2x2");
  const Array x = Array::zeros({1, 1, 20, 20});
  CHECK(message_of([&] { k::max_pool2d(x, {.kernel = 17}); }) == "max_pool2d: kernel 17x17 has more than 256 places");
  CHECK(message_of([&] { k::max_pool2d(x.to(DType::i64), {}); }) ==
        "max_pool2d: x is i64, must be floating: x [1, 1, 20, 20]; convert it with to(DType::f32)");
  CHECK(message_of([&] { k::average_pool2d_grad(x, x.shape(), {}); }) ==
        "average_pool2d_grad: dy is [1, 1, 20, 20], must be [1, 1, 10, 10]");
  CHECK(message_of([&] { k::global_average_pool2d_grad(x, x.shape()); }) ==
        "global_average_pool2d_grad: dy is [1, 1, 20, 20], must be [1, 1]");
}

TEST_CASE("pooling without channels, images or a batch gives nothing or an Error") {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    const Array x = Array::zeros({1, 0, 4, 4}, dtype), dy = Array::zeros({1, 0, 2, 2}, dtype);
    const auto [y, chosen] = k::max_pool2d(x, {});
    CHECK(y.shape() == Shape{1, 0, 2, 2});
    CHECK(chosen.shape() == Shape{1, 0, 2, 2});
    CHECK(k::max_pool2d_grad(dy, chosen, x.shape(), {}).shape() == x.shape());
    CHECK(k::max_pool2d_take(x, chosen, {}).shape() == y.shape());
    CHECK(k::average_pool2d(x, {}).shape() == Shape{1, 0, 2, 2});
    CHECK(k::average_pool2d_grad(dy, x.shape(), {}).shape() == x.shape());
    CHECK(k::global_average_pool2d(x).shape() == Shape{1, 0});
    CHECK(k::global_average_pool2d_grad(Array::zeros({1, 0}, dtype), x.shape()).shape() == x.shape());
    CHECK(k::max_pool2d(Array::zeros({0, 3, 4, 4}, dtype), {}).first.shape() == Shape{0, 3, 2, 2});
    // A window without any place of the image has no maximum.
    CHECK(message_of([&] {
            k::max_pool2d(Array::zeros({1, 1, 0, 4}, dtype), {.kernel = 3, .padding = 2});
          }) == "max_pool2d: x is [1, 1, 0, 4], its images must not be empty");
  }
}

TEST_CASE("averages of large windows do not lose digits") {
  const Array x = Array::full({1, 3, 224, 224}, 0.1);
  const double exact = static_cast<double>(0.1F);
  CHECK(std::abs(k::global_average_pool2d(x).at({0, 1}) - exact) < 1e-7);
  CHECK(std::abs(k::average_pool2d(x, {.kernel = {100, 100}}).at({0, 2, 1, 1}) - exact) < 1e-7);
  const Array edge = k::average_pool2d(x, {.kernel = 8, .padding = 4, .count_padding = false});
  CHECK(std::abs(edge.at({0, 0, 0, 0}) - exact) < 1e-7);
  CHECK(k::average_pool2d(x, {.kernel = 8, .padding = 4}).at({0, 0, 0, 0}) == doctest::Approx(exact / 4));
}
