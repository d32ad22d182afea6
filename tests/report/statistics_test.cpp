// Statistics over seeds against numbers computed by hand, and metrics as text.
#include <tandem/report/statistics.h>

#include <doctest/doctest.h>

#include <limits>

#include <tandem/core/error.h>
#include <tandem/report/metrics.h>

using namespace tandem;
using namespace tandem::report;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");
}  // namespace

TEST_CASE("mean and standard deviation of 1, 2, 3, 4") {
  const MeanAndDeviation m = mean_and_deviation({1, 2, 3, 4});
  CHECK(m.count == 4);
  CHECK(m.mean == 2.5);
  CHECK(m.deviation == doctest::Approx(std::sqrt(5.0 / 3)));  // (2.25 + 0.25 + 0.25 + 2.25) / 3
  CHECK(mean_and_deviation({7}).deviation == 0);
}

TEST_CASE("values that are not finite are counted, never averaged") {
  const MeanAndDeviation m = mean_and_deviation({1, kNan, 3, kInfinity});
  CHECK(m.count == 2);
  CHECK(m.left_out == 2);
  CHECK(m.mean == 2);
  const MeanAndDeviation none = mean_and_deviation({kNan});
  CHECK((none.count == 0 && none.left_out == 1 && std::isnan(none.mean) && std::isnan(none.deviation)));
}

TEST_CASE("quantiles of Student's t are those of the tables") {
  CHECK(t_quantile(1) == 12.706);
  CHECK(t_quantile(2) == 4.303);
  CHECK(t_quantile(30) == 2.042);
  CHECK(t_quantile(1000) == 2.042);
}

TEST_CASE("differences 0.1, 0.12, 0.08: mean 0.1, standard error 0.02 / sqrt(3), 4.303 of it to each side") {
  const PairedDifference d = paired_difference({0.1, 0.12, 0.08});
  CHECK(d.seeds == 3);
  CHECK(d.mean == doctest::Approx(0.1));
  CHECK(d.standard_error == doctest::Approx(0.02 / std::sqrt(3)));
  CHECK(d.low == doctest::Approx(0.1 - 4.303 * 0.02 / std::sqrt(3)));
  CHECK(d.high == doctest::Approx(0.1 + 4.303 * 0.02 / std::sqrt(3)));
  CHECK(finding(d, true) == "better");
  CHECK(finding(d, false) == "worse");
  CHECK(paired_difference({0.1, 0.2, -0.3 + 1e-17}).mean == 0);  // not 1e-17 by rounding
}

TEST_CASE("what follows is said, or why nothing does") {
  CHECK(finding(paired_difference({0.1}), true) == "nothing: one seed");
  CHECK(finding(paired_difference({0.5, 0.5}), true) == "nothing: all equal");
  CHECK(finding(paired_difference({0.1, -0.1, 0.2}), true) == "nothing: holds 0");
  CHECK(finding(paired_difference(std::vector<double>{}), true) == "nothing: no seed in common");
  CHECK(finding(paired_difference({kNan, kNan}), true) == "nothing: diverged");
  CHECK(finding(paired_difference({0.1, 0.101, kNan}), true) == "better, 1 of 3 seeds left out: diverged");
}

TEST_CASE("differences are paired by seed; infinite minus infinite is left out and counted") {
  const PairedDifference d =
      paired_difference({{0, 1.0}, {1, 2.0}, {2, kInfinity}, {7, 5.0}}, {{0, 0.5}, {1, 1.0}, {2, kInfinity}, {8, 5.0}});
  CHECK(d.seeds == 2);
  CHECK(d.left_out == 1);
  CHECK(d.mean == 0.75);
}

TEST_CASE("the note tells of several intervals that each stands alone") {
  CHECK(findings_note({paired_difference({0.1})}) ==
        "With one seed it is not known how much seeds vary: nothing follows.");
  CHECK(findings_note({paired_difference({0.1, 0.2})}).find("one in twenty") == std::string::npos);
  CHECK(findings_note({paired_difference({0.1, 0.2}), paired_difference({0.1, 0.2})}).find("one in twenty") !=
        std::string::npos);
}

TEST_CASE("numbers as text and back") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(-kInfinity) == "-inf");
  CHECK(parse_number("inf", "x") == kInfinity);
  CHECK(std::isnan(parse_number("nan", "x")));
  for (const double value : {1.0 / 3, 1e-300, -123456.789}) CHECK(parse_number(number_text(value), "x") == value);
  CHECK_THROWS_WITH_AS(parse_number("1e", "a.csv line 3"), "a.csv line 3: \"1e\" is not a number", Error);
  CHECK_THROWS_WITH_AS(parse_number("1e999", "x"), "x: \"1e999\" is not a number", Error);
  CHECK(shown(0.91254) == "0.9125");
  CHECK(shown(1234.5) == "1234.50");
  CHECK(shown(0.00093) == "0.00093");
  CHECK(shown(1.5e-5) == "1.500e-05");
  CHECK(shown(kNan) == "-");
  CHECK(with_commas(-1234567) == "-1,234,567");
  CHECK(shown_duration(185) == "3:05");
}

TEST_CASE("the best of a metric is kept, and NaN never") {
  Metrics best;
  keep_best(best, {{"test_loss", kNan}, {"test_accuracy", 0.5}});
  keep_best(best, {{"test_loss", 2}, {"test_accuracy", 0.4}});
  keep_best(best, {{"test_loss", 1}, {"test_accuracy", kNan}});
  CHECK(value_of(best, "test_loss") == 1);
  CHECK(value_of(best, "test_accuracy") == 0.5);
  CHECK(best.size() == 2);
}
