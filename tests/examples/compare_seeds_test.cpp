// What is said of several seeds: paired differences by hand, sentences, metrics at equal steps, short names.
#include "examples/common/compare_seeds.h"

#include <doctest/doctest.h>

#include <cmath>

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

TEST_CASE("the sentence says that nothing follows where the interval holds 0") {
  CHECK(compare_sentence(two_optimizers({0.79, 0.79}, {0.80, 0.82}), "test_accuracy") ==
        "test_accuracy, lookahead against momentum, 2 seeds: +0.0200; standard error 0.0100, 95 % interval -0.1071 to "
        "0.1471: the interval holds 0, so nothing follows.\n");
}

TEST_CASE("the sentence names the better one where the interval leaves 0 out, also for losses") {
  const auto results = two_optimizers({0.79, 0.80, 0.81}, {0.8000, 0.8102, 0.8201});
  CHECK(compare_sentence(results, "test_accuracy") ==
        "test_accuracy, lookahead against momentum, 3 seeds: +0.0101; standard error 0.0001, 95 % interval 0.0099 to "
        "0.0103: without 0, so lookahead is better in this setting.\n");
  const std::string of_loss = compare_sentence(results, "test_loss");
  CHECK(of_loss.find(": -0.0101;") != std::string::npos);
  CHECK(of_loss.find("so lookahead is better") != std::string::npos);
}

TEST_CASE("one seed says nothing; neither does a metric that was not measured, or one optimizer") {
  const std::string one = compare_sentence(two_optimizers({0.79}, {0.80}), "test_accuracy");
  CHECK(one ==
        "test_accuracy, lookahead against momentum, 1 seed: +0.0100; with one seed it is not known how much seeds "
        "vary: nothing follows.\n");
  CHECK(compare_sentence(two_optimizers({0.79}, {std::nan("")}), "test_accuracy").empty());
  CHECK(compare_sentence(two_optimizers({0.79}, {0.80}), "psnr").empty());
  CHECK(compare_sentence({result("sgd(lr=1)", 0, 0.5), result("sgd(lr=1)", 1, 0.6)}, "test_accuracy").empty());
  CHECK(compare_sentence({result("sgd(lr=1)", 0, 0.5), result("adam(lr=1)", 1, 0.6)}, "test_accuracy").empty());
}

TEST_CASE("equal differences, as few test images give them, are no proof") {
  const auto results = two_optimizers({0.79, 0.81}, {0.80, 0.82});
  CHECK(compare_sentence(results, "test_accuracy") ==
        "test_accuracy, lookahead against momentum, 2 seeds: +0.0100; the same with every seed, so it is not known how "
        "much it varies: nothing follows.\n");
  CHECK(compare_sentence(two_optimizers({0.79, 0.81}, {0.79, 0.81}), "test_accuracy").find("nothing follows") !=
        std::string::npos);
}

TEST_CASE("three optimizers make three pairs and a word about that") {
  std::vector<RunResult> results = two_optimizers({0.79, 0.80}, {0.80, 0.82});
  for (const std::uint64_t seed : {0U, 1U}) results.push_back(result("momentum(lr=0.08)", seed, 0.7));
  const std::string text = compare_sentence(results, "test_accuracy");
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK(text.find("momentum lr=0.08 against momentum lr=0.1") != std::string::npos);
  CHECK(text.find("momentum lr=0.08 against lookahead") != std::string::npos);
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
