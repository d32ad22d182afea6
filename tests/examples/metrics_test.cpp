// Metrics, their statistics over seeds, and the table and durations that are printed of them.
#include "examples/common/metrics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "examples/common/progress.h"
#include "examples/common/result_table.h"

namespace ex = tandem::examples;

TEST_CASE("mean and standard deviation over seeds") {
  const auto [mean, deviation] = ex::mean_and_deviation({1, 2, 4});
  CHECK(mean == doctest::Approx(7.0 / 3));
  CHECK(deviation == doctest::Approx(std::sqrt((16.0 / 9 + 1.0 / 9 + 25.0 / 9) / 2)));
  CHECK(ex::mean_and_deviation({3}).mean == 3);
  CHECK(ex::mean_and_deviation({3}).deviation == 0);
}

TEST_CASE("the best of a metric is the largest accuracy and the smallest loss") {
  ex::Metrics best;
  ex::keep_best(best, {{"test_loss", 2}, {"test_accuracy", 0.5}});
  ex::keep_best(best, {{"test_loss", 1}, {"test_accuracy", 0.4}});
  ex::keep_best(best, {{"test_loss", 3}, {"test_accuracy", 0.6}});
  CHECK(best == ex::Metrics{{"test_loss", 1}, {"test_accuracy", 0.6}});
  CHECK(ex::is_larger_better("psnr"));
  CHECK_FALSE(ex::is_larger_better("perplexity"));
  CHECK(std::isnan(ex::value_of(best, "none")));
}

TEST_CASE("durations and numbers for people") {
  CHECK(ex::format_duration(7.2) == "8 s");
  CHECK(ex::format_duration(185) == "3:05");
  CHECK(ex::format_duration(3725) == "1:02:05");
  CHECK(ex::with_commas(5) == "5");
  CHECK(ex::with_commas(269722) == "269,722");
  CHECK(ex::with_commas(-11173962) == "-11,173,962");
}

TEST_CASE("the table: a block an optimizer, statistics where there are several seeds") {
  const auto result = [](const char* name, std::uint64_t seed, double accuracy) {
    ex::RunResult r;
    r.run = {std::string(name) + "-seed" + std::to_string(seed), std::string(name).substr(2) + "(lr=0.1)", seed};
    r.seconds = 61;
    r.examples_per_second = 1234;
    r.final_metrics = {{"test_loss", 0.5}, {"test_accuracy", accuracy}};
    r.best_metrics = r.final_metrics;
    return r;
  };
  CHECK(
      ex::result_table({result("1-sgd", 0, 0.5), result("2-adam", 0, 0.6), result("1-sgd", 1, 0.7)}, "test_accuracy") ==
      "                      test_loss  test_accuracy     best  examples/s     time\n"
      "sgd(lr=0.1)\n"
      "  seed 0                 0.5000         0.5000   0.5000       1,234     1:01\n"
      "  seed 1                 0.5000         0.7000   0.7000       1,234     1:01\n"
      "  mean                   0.5000         0.6000   0.6000\n"
      "  standard deviation     0.0000         0.1414   0.1414\n"
      "adam(lr=0.1)\n"
      "  seed 0                 0.5000         0.6000   0.6000       1,234     1:01\n");
  CHECK(ex::result_table({}, "test_accuracy").empty());
}
