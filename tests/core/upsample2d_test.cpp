// Upsampling: hand values of both modes, sizes and scales, the fast path and its transpose against the naive twin.
#include <doctest/doctest.h>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/pool/upsample2d.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/kernels/reference/upsample2d.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;

namespace {

constexpr Interpolation kBilinear = Interpolation::bilinear;

const std::vector<Upsample2dOptions>& choices() {
  static const std::vector<Upsample2dOptions> list{{.scale = 2},
                                                   {.scale = {3, 1}},
                                                   {.scale = {1.7, 0.5}},
                                                   {.size = {13, 4}},
                                                   {.size = {1, 1}},
                                                   {.scale = 2, .mode = kBilinear},
                                                   {.scale = {1.7, 0.5}, .mode = kBilinear},
                                                   {.size = {13, 4}, .mode = kBilinear},
                                                   {.size = {1, 20}, .mode = kBilinear}};
  return list;
}

}  // namespace

TEST_CASE("upsample2d: hand values") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Array x = Array::from({1, 2, 3, 4}, {1, 1, 2, 2}, dtype), row = Array::from({0, 4}, {1, 1, 1, 2}, dtype);
    CHECK(k::upsample2d(x, {.scale = 2}).to_vector<double>() ==
          Doubles{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
    CHECK(k::upsample2d(row, {.size = {1, 5}}).to_vector<double>() == Doubles{0, 0, 0, 4, 4});
    CHECK(k::upsample2d(row, {.scale = {1, 1.5}}).to_vector<double>() == Doubles{0, 0, 4});
    CHECK(k::upsample2d(row, {.scale = {1, 2}, .mode = kBilinear}).to_vector<double>() == Doubles{0, 1, 3, 4});
    CHECK(k::upsample2d(row, {.size = {1, 1}, .mode = kBilinear}).to_vector<double>() == Doubles{2});
    const Array dy = Array::from({1, 10, 100, 1000}, {1, 1, 1, 4}, dtype);
    CHECK(k::upsample2d_grad(dy, row.shape(), {.scale = {1, 2}}).to_vector<double>() == Doubles{11, 1100});
    CHECK(k::upsample2d_grad(dy, row.shape(), {.scale = {1, 2}, .mode = kBilinear}).to_vector<double>() ==
          Doubles{1 + 7.5 + 25, 2.5 + 75 + 1000});
  }
}

TEST_CASE("upsample2d: nearest repeats exactly, whatever the factor") {
  const Array x = Array::arange(50, DType::f32).reshape({1, 1, 1, 50});
  for (const std::int64_t factor : {3, 7, 41, 49}) {
    const auto scale = static_cast<double>(factor);
    const Array y = k::upsample2d(x, {.scale = {1, scale}}), z = k::upsample2d(x, {.size = {1, 50 * factor}});
    CHECK(identical(y, z));
    for (std::int64_t i = 0; i < 50 * factor; ++i) CHECK(y.at({0, 0, 0, i}) == static_cast<double>(i / factor));
  }
}

TEST_CASE("upsample2d: both passes equal the naive twin, in every memory order and for any number of threads") {
  Generator g(2);
  const int before = threads();
  for (const Upsample2dOptions& options : choices())
    for (const Shape& shape : {Shape{2, 3, 5, 6}, {3, 16, 7, 4}, {8, 33, 12, 12}})
      for (const Memory memory : {Memory::row_major, Memory::channels_last, Memory::sliced}) {
        CAPTURE(shape.to_string());
        CAPTURE(static_cast<int>(memory));
        set_threads(memory == Memory::sliced ? 3 : 2);
        const Shape out = k::upsample2d_shape(shape, options);
        const Array x = random_array(g, shape, memory), dy = random_array(g, out, memory);
        Array y = Array::empty(out, DType::f64), dx = Array::empty(shape, DType::f64);
        k::reference::upsample2d<double>(x.to(DType::f64), options, y);
        k::reference::upsample2d_grad<double>(dy.to(DType::f64), options, dx);
        CHECK(worst_error(k::upsample2d(x, options), y) < 1e-6);
        CHECK(worst_error(k::upsample2d_grad(dy, shape, options), dx) < 2e-6);
        CHECK(k::upsample2d(x, options).is_channels_last());
        // <up(x), dy> = <x, up'(dy)>: the transpose
        CHECK(k::sum(k::multiply(y, dy.to(DType::f64))).item() ==
              doctest::Approx(k::sum(k::multiply(x.to(DType::f64), dx)).item()));
      }
  set_threads(before);
}

TEST_CASE("upsample2d: bf16 and f16 are the twin in double, rounded once") {
  Generator g(8);
  for (const DType dtype : {DType::bf16, DType::f16})
    for (const Interpolation mode : {Interpolation::nearest, Interpolation::bilinear})
      for (const double scale : {2.0, 1.5, 0.5}) {
        CAPTURE(name(dtype));
        CAPTURE(scale);
        const Upsample2dOptions o{.scale = scale, .mode = mode};
        const Shape shape{2, 5, 6, 7};
        const Array x = random_array(g, shape, Memory::channels_last).to(dtype), y = k::upsample2d(x, o);
        const Array dy = random_array(g, y.shape(), Memory::channels_last).to(dtype);
        const double limit = (dtype == DType::bf16 ? 0x1p-8 : 0x1p-11) + 1e-5;
        CHECK(y.dtype() == dtype);
        CHECK(worst_error(y, k::upsample2d(x.to(DType::f64), o)) < limit);
        CHECK(worst_error(k::upsample2d_grad(dy, shape, o), k::upsample2d_grad(dy.to(DType::f64), shape, o)) < limit);
      }
}

TEST_CASE("upsample2d: bf16, a batch of nothing, errors") {
  const Array x = Array::full({1, 2, 2, 2}, 3, DType::bf16);
  CHECK(identical(k::upsample2d(x, {.scale = 2}), Array::full({1, 2, 4, 4}, 3, DType::bf16)));
  CHECK(k::upsample2d(Array::zeros({0, 2, 2, 2}), {.scale = 2}).shape() == Shape{0, 2, 4, 4});
  const auto message = [](const Shape& shape, const Upsample2dOptions& options) {
    return message_of([&] { k::upsample2d(Array::zeros(shape), options); });
  };
  CHECK(message({1, 2, 2}, {.scale = 2}) == "upsample2d: x is [1, 2, 2], must be [N, C, H, W] and not empty");
  CHECK(message({1, 2, 2, 2}, {}) == "upsample2d: neither scale nor size is given; give one of them");
  CHECK(message({1, 2, 2, 2}, {.scale = 2, .size = 3}) ==
        "upsample2d: scale and size are both given; give one of them");
  CHECK(message({1, 2, 2, 2}, {.size = {3, 0}}) ==
        "upsample2d: size is 3x0, must be from 1 to 16777216: x [1, 2, 2, 2]");
  CHECK(message({1, 2, 2, 2}, {.scale = 0.4}) ==
        "upsample2d: scale is 0.4x0.4, must leave from 1 to 16777216 rows and columns: x [1, 2, 2, 2]");
  CHECK(message_of([] {
          k::upsample2d(Array::zeros({1, 1, 2, 2}, DType::i64), {.scale = 2});
        }) == "upsample2d: x is i64, must be floating: x [1, 1, 2, 2]; convert it with to(DType::f32)");
  CHECK(message_of([] {
          k::upsample2d_grad(Array::zeros({1, 1, 2, 2}), {1, 1, 2, 2}, {.scale = 2});
        }) == "upsample2d_grad: dy is [1, 1, 2, 2], must be [1, 1, 4, 4]: x [1, 1, 2, 2]");
}

TEST_CASE("upsample2d: nearest by a scale reads the places that PyTorch reads") {
  // torch.nn.functional.interpolate(arange(n), scale_factor=(1, s), mode="nearest") of PyTorch 2.6
  struct Place {
    double scale;
    std::int64_t size, out, from;
  };
  for (const Place& p : {Place{1.1, 41, 33, 30},
                         {1.3, 41, 39, 30},
                         {2.2, 41, 11, 5},
                         {2.2, 41, 66, 30},
                         {0.55, 41, 11, 20},
                         {1.1, 41, 44, 40},
                         {1.7, 41, 17, 10}}) {
    CAPTURE(p.scale);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Array x = Array::arange(p.size, dtype).reshape({1, 1, 1, p.size});
      CHECK(k::upsample2d(x, {.scale = {1, p.scale}}).at({0, 0, 0, p.out}) == static_cast<double>(p.from));
    }
  }
}
