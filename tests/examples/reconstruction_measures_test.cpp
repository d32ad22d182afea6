// What reconstructions are judged by, in this process.
#include <doctest/doctest.h>

#include "examples/autoencoder/reconstruction.h"

using namespace tandem;

TEST_CASE("measures: means over pictures; one that came back exactly counts as 100 dB") {
  Array x = Array::full({2, 3, 16, 16}, 0.5), y = Array::full({2, 3, 16, 16}, 0.5);
  reconstruction::Measures measures;
  measures.add(x, y);
  CHECK(measures.psnr() == 100);
  CHECK(measures.ssim() == doctest::Approx(1));
  CHECK(measures.mean_squared_error() == 0);
  y.fill(0.6);
  measures.add(x, y);
  CHECK(measures.psnr() == doctest::Approx((100 + 20) / 2.0).epsilon(1e-6));
  CHECK(measures.mean_squared_error() == doctest::Approx(0.005));
  CHECK(measures.images() == 4);
  CHECK(reconstruction::metric_name("test", "psnr") == "psnr");
  CHECK(reconstruction::metric_name("validation", "psnr") == "validation_psnr");
}
