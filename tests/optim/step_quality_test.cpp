// Cockpit's alpha on parabolas, where it is known.
#include <tandem/optim/study/step_quality.h>

#include "support.h"

#include <cmath>
#include <limits>

using namespace support;

namespace {

/// Both ends of h (t - minimum)^2 / 2.
double alpha_of(double minimum, double h = 2, double loss_variance = 0, double slope_variance = 0) {
  const auto end = [&](double t) {
    return LineEnd{h * (t - minimum) * (t - minimum) / 2, h * (t - minimum), loss_variance, slope_variance};
  };
  return step_quality(end(0), end(1));
}

}  // namespace

TEST_CASE("0 at the minimum, -1 without a step, 1 on the other side at the same height") {
  CHECK(alpha_of(1) == doctest::Approx(0).scale(1));
  CHECK(alpha_of(2) == doctest::Approx(-0.5));
  CHECK(alpha_of(0.5) == doctest::Approx(1));
  CHECK(alpha_of(0.25) == doctest::Approx(3));
  CHECK(alpha_of(1e6) == doctest::Approx(-1).epsilon(1e-5));
  CHECK(alpha_of(-1) == doctest::Approx(-2));  // uphill
  CHECK(step_quality({1, 0}, {1, 0}) == -1);   // no step at all
}

TEST_CASE("an exact parabola is found whatever the variances") {
  for (const double loss_variance : {0.0, 1e-9, 1.0, 1e9}) {
    for (const double slope_variance : {0.0, 1e-9, 1.0, 1e9}) {
      CAPTURE(loss_variance);
      CAPTURE(slope_variance);
      CHECK(alpha_of(0.8, 3, loss_variance, slope_variance) == doctest::Approx(0.25).epsilon(1e-6));
    }
  }
}

TEST_CASE("what contradicts itself is weighed by the variances") {
  // By the slopes -1 and 1 the minimum is in the middle: alpha 1. By the losses 1 and 0 the mean slope is -1; the
  // slopes then leave a = 1, b = -2: alpha 0.
  const auto alpha = [](double loss_variance, double slope_variance) {
    return step_quality({1, -1, loss_variance, slope_variance}, {0, 1, loss_variance, slope_variance});
  };
  CHECK(alpha(1, 1e-8) == doctest::Approx(1).epsilon(1e-6));
  CHECK(alpha(1e-8, 1) == doctest::Approx(0).scale(1));
  // All equal, by hand: the normal equations of 1 = c, 0 = c + b + a, -1 = b, 1 = b + 2 a give c = 0.6, b = -1.2, a
  // = 1.
  CHECK(alpha(1, 1) == doctest::Approx(2.0 / 3));
}

TEST_CASE("no minimum in sight is -1, what is not finite NaN") {
  CHECK(alpha_of(0.3, -2) == -1);
  CHECK(step_quality({1, -1}, {0, -1}) == -1);  // a line
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(step_quality({1, -1}, {nan, 1})));
  CHECK(std::isnan(step_quality({1, -1}, {std::numeric_limits<double>::infinity(), 1})));
}
