// What is said of several seeds: paired differences by hand, tables, metrics at equal steps, short names.
#include "examples/common/compare_seeds.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "examples/common/comparison_text.h"

using namespace tandem::examples;

namespace {

RunResult result(const std::string& optimizer, std::uint64_t seed, double accuracy) {
  RunResult r;
  r.run = {optimizer + std::to_string(seed), optimizer, seed};
  r.final_metrics = {{"test_accuracy", accuracy}, {"test_loss", 1 - accuracy}};
  return r;
}

std::vector<RunResult> two_optimizers(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<RunResult> results;
  for (std::size_t seed = 0; seed < a.size(); ++seed) {
    results.push_back(result("momentum(lr=0.1)", seed, a[seed]));
    results.push_back(result("lookahead(momentum(lr=0.1), k=5)", seed, b[seed]));
  }
  return results;
}

}  // namespace

TEST_CASE("a paired difference by hand") {
  const PairedDifference d = paired_difference({0.01, 0.03});
  CHECK(d.mean == doctest::Approx(0.02));
  CHECK(d.standard_error == doctest::Approx(0.01));
  CHECK(d.low == doctest::Approx(0.02 - 12.706 * 0.01));
  CHECK(d.high == doctest::Approx(0.02 + 12.706 * 0.01));
  CHECK_FALSE(d.is_beyond_chance());
  CHECK(paired_difference({0.0100, 0.0102, 0.0101}).is_beyond_chance());
  CHECK(std::isnan(paired_difference({0.5}).low));
  CHECK_FALSE(paired_difference({0.5}).is_beyond_chance());
  CHECK_FALSE(paired_difference({}).is_beyond_chance());
  CHECK(t_quantile(1) == 12.706);
  CHECK(t_quantile(30) == 2.042);
  CHECK(t_quantile(1000) == 2.042);
}

TEST_CASE("nothing follows where the interval holds 0") {
  const auto found = differences(two_optimizers({0.79, 0.79}, {0.80, 0.82}), "test_accuracy");
  REQUIRE(found.size() == 1);
  CHECK(found[0].baseline == 0);
  CHECK(found[0].contender == 1);
  CHECK(found[0].paired.mean == doctest::Approx(0.02));
  CHECK(found[0].finding == "nothing: holds 0");
  CHECK(difference_table(two_optimizers({0.79, 0.79}, {0.80, 0.82}), "test_accuracy") ==
        "test_accuracy, by seed     mean  standard error      95 % interval  seeds  what follows\n"
        "against momentum\n"
        "  lookahead             +0.0200          0.0100  -0.1071 to 0.1471      2  nothing: holds 0\n"
        "Better and worse are said of this setting alone, nothing where the interval holds 0.\n");
}

TEST_CASE("better and worse where the interval leaves 0 out, also for losses") {
  const auto better = two_optimizers({0.79, 0.80, 0.81}, {0.8000, 0.8102, 0.8201});
  CHECK(differences(better, "test_accuracy")[0].finding == "better");
  CHECK(differences(better, "test_loss")[0].finding == "better");
  CHECK(differences(better, "test_loss")[0].paired.mean == doctest::Approx(-0.0101));
  const auto worse = two_optimizers({0.8000, 0.8102, 0.8201}, {0.79, 0.80, 0.81});
  CHECK(differences(worse, "test_accuracy")[0].finding == "worse");
  CHECK(differences(worse, "test_loss")[0].finding == "worse");
}

TEST_CASE("one seed says nothing; neither does a metric that was not measured, or one optimizer") {
  CHECK(difference_table(two_optimizers({0.79}, {0.80}), "test_accuracy") ==
        "test_accuracy, by seed     mean  standard error  95 % interval  seeds  what follows\n"
        "against momentum\n"
        "  lookahead             +0.0100               -              -      1  nothing: one seed\n"
        "With one seed it is not known how much seeds vary: nothing follows.\n");
  CHECK(differences(two_optimizers({0.79}, {std::nan("")}), "test_accuracy").empty());
  CHECK(difference_table(two_optimizers({0.79}, {std::nan("")}), "test_accuracy").empty());
  CHECK(differences(two_optimizers({0.79}, {0.80}), "psnr").empty());
  CHECK(differences({result("sgd(lr=1)", 0, 0.5), result("sgd(lr=1)", 1, 0.6)}, "test_accuracy").empty());
  CHECK(differences({result("sgd(lr=1)", 0, 0.5), result("adam(lr=1)", 1, 0.6)}, "test_accuracy").empty());
}

TEST_CASE("equal differences, as few test images give them, are no proof") {
  const std::string finding = "nothing: all equal";
  CHECK(differences(two_optimizers({0.79, 0.81}, {0.80, 0.82}), "test_accuracy")[0].finding == finding);
  CHECK(differences(two_optimizers({0.79, 0.81}, {0.79, 0.81}), "test_accuracy")[0].finding == finding);
}

TEST_CASE("three optimizers make three pairs, under their baselines, and a word about that") {
  std::vector<RunResult> results = two_optimizers({0.79, 0.80}, {0.80, 0.82});
  for (const std::uint64_t seed : {0U, 1U}) results.push_back(result("momentum(lr=0.08)", seed, 0.7));
  CHECK(differences(results, "test_accuracy").size() == 3);
  const std::string text = difference_table(results, "test_accuracy");
  CHECK(std::count(text.begin(), text.end(), '\n') == 7);
  const std::size_t first = text.find("against momentum lr=0.1\n"), second = text.find("against lookahead\n");
  CHECK(first < second);
  CHECK(second != std::string::npos);
  CHECK(text.find("  momentum lr=0.08 ", second) != std::string::npos);
  CHECK(text.find("one in twenty") != std::string::npos);
}

TEST_CASE("short names tell optimizers apart with as little as possible") {
  using Names = std::vector<std::string>;
  CHECK(short_names({"momentum(lr=0.1)", "lookahead(momentum(lr=0.1), k=5)"}) == Names{"momentum", "lookahead"});
  CHECK(short_names({"lookahead(sgd(lr=1), k=5)", "lookahead(adam(lr=1), k=5)"}) ==
        Names{"lookahead(sgd)", "lookahead(adam)"});
  CHECK(short_names({"adam(lr=0.001)", "lookahead(adam(lr=0.001), k=5, alpha=0.5)", "adam(lr=0.0005)"}) ==
        Names{"adam lr=0.001", "lookahead", "adam lr=0.0005"});
  CHECK(short_names({"adam(lr=0.1 * cosine(warmup=2, total=9))", "adam(lr=0.2)"}) ==
        Names{"adam lr=0.1 * cosine(warmup=2, total=9)", "adam lr=0.2"});
  CHECK(short_names({"sgd(lr=1)", "sgd(lr=1)"}) == Names{"sgd(lr=1)", "sgd(lr=1) (2)"});
  CHECK(short_names({"odd(", "odd)"}) == Names{"odd", "odd)"});
}

TEST_CASE("contenders: runs of one optimizer together, the same optimizer and seed again apart") {
  const auto contenders = contenders_of(
      {result("a()", 0, 0), result("a()", 0, 0), result("b()", 0, 0), result("a()", 1, 0), result("a()", 1, 0)});
  REQUIRE(contenders.size() == 3);
  CHECK(contenders[0].runs == std::vector<std::size_t>{0, 3});
  CHECK(contenders[1].runs == std::vector<std::size_t>{1, 4});
  CHECK(contenders[2].runs == std::vector<std::size_t>{2});
}

TEST_CASE("equal steps are those nearest to the quarters that all runs share") {
  ComparisonRecord record;
  for (const std::uint64_t seed : {0U, 1U}) {
    RunRecord run{result("a()", seed, 0.5), {}, {}};
    for (std::int64_t epoch = 1; epoch <= 9; ++epoch)
      run.rows.push_back({epoch, 10 * epoch, {{"test_accuracy", 0.1 * static_cast<double>(seed + 1)}}});
    record.runs.push_back(run);
  }
  CHECK(equal_steps(record) == std::vector<std::int64_t>{20, 40, 70, 90});
  record.runs[1].rows.pop_back();
  CHECK(equal_steps(record) == std::vector<std::int64_t>{20, 40, 60, 80});
  const std::string table = equal_steps_table(record);
  CHECK(table.find("step 20") != std::string::npos);
  CHECK(table.find("0.1500 +-0.0707") != std::string::npos);
  const std::size_t header = table.find('\n'), metric = table.find('\n', header + 1);
  CHECK(table.find('\n', metric + 1) - metric - 1 == header);  // columns stand under each other
  record.runs[1].rows.resize(1);
  CHECK(equal_steps(record).empty());
  CHECK(equal_steps_table(record).empty());
}
