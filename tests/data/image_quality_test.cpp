// PSNR and SSIM: hand values, scikit-image's figures (tests/golden/make_image_quality_golden.py), layouts, errors.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/data/image_quality.h>

#include "golden/golden_file.h"

using namespace tandem;
using Doubles = std::vector<double>;

namespace {

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("psnr: hand values") {
  const Array a = Array::from({0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5}, {2, 1, 2, 2});
  const Array b = Array::from({0.1, 0.1, -0.1, 0.1, 0.5, 0.5, 0.5, 1.5}, {2, 1, 2, 2});
  const Doubles figures = psnr(a, b);
  CHECK(figures[0] == doctest::Approx(20).epsilon(1e-6));
  CHECK(figures[1] == doctest::Approx(10 * std::log10(4)));
  CHECK(psnr(a, a) == Doubles{INFINITY, INFINITY});
}

TEST_CASE("ssim: of equal images 1, of flat images the ratio of their means") {
  Array x = Array::empty({2, 3, 16, 13}, DType::f64);
  Generator(1).fill_uniform(x);
  CHECK(ssim(x, x)[1] == doctest::Approx(1).epsilon(1e-12));
  const Array low = Array::full({1, 1, 11, 11}, 0.25, DType::f64), high = Array::full({1, 1, 11, 11}, 0.5, DType::f64);
  CHECK(ssim(low, high)[0] == doctest::Approx((2 * 0.125 + 1e-4) / (0.0625 + 0.25 + 1e-4)));
}

TEST_CASE("psnr and ssim equal scikit-image's, in both precisions and layouts") {
  const Safetensors file = golden::load("image_quality.safetensors");
  const Array a = golden::at(file, "a"), b = golden::at(file, "b");
  const Doubles expected_psnr = golden::at(file, "psnr").to_vector<double>();
  const Doubles expected_ssim = golden::at(file, "ssim").to_vector<double>();
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
      const Array u = a.to(dtype).to_layout(layout), v = b.to(dtype);
      const Doubles decibels = psnr(u, v), similarity = ssim(u, v);
      REQUIRE(similarity.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) {
        CHECK(decibels[i] == doctest::Approx(expected_psnr[i]).epsilon(1e-12));
        CHECK(similarity[i] == doctest::Approx(expected_ssim[i]).epsilon(1e-12));
      }
    }
  CHECK(ssim(golden::at(file, "gray_a"), golden::at(file, "gray_b"))[0] ==
        doctest::Approx(golden::at(file, "gray_ssim").at({0})).epsilon(1e-12));
}

TEST_CASE("psnr and ssim: errors") {
  const Array a = Array::zeros({2, 3, 12, 12});
  CHECK(message_of([&] {
          psnr(a, Array::zeros({2, 3, 12, 11}));
        }) == "psnr: a and b must be images [N, C, H, W] of one shape: a [2, 3, 12, 12], b [2, 3, 12, 11]");
  CHECK(message_of([&] { ssim(a, a.to(DType::f64)); }) == "ssim: b is f64, must be f32");
  CHECK(message_of([&] { psnr(a.to(DType::u8), a); }) == "psnr: a is u8, must be f32 or f64");
  CHECK(message_of([&] {
          ssim(Array::zeros({1, 1, 10, 12}), Array::zeros({1, 1, 10, 12}));
        }) == "ssim: images must be at least 11x11: a [1, 1, 10, 12]");
  CHECK(message_of([&] { psnr(Array(), a); }) == "psnr: a is not defined");
  CHECK(psnr(Array::zeros({0, 3, 12, 12}), Array::zeros({0, 3, 12, 12})).empty());
}
