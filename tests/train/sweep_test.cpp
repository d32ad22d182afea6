// Contestants of a command line, and the names of their runs.
#include <tandem/train/command_line.h>

#include <doctest/doctest.h>

#include <tandem/core/error.h>

using namespace tandem;
using namespace tandem::train;

TEST_CASE("lists in braces are contestants, named by what differs; axes keep the order of the values") {
  const auto all = expand_optimizers({"lookahead(momentum(lr={0.1,0.2}, momentum=0.9), k={5,10}, alpha=0.5)"});
  REQUIRE(all.size() == 4);
  CHECK(all[0].spec == "lookahead(momentum(lr=0.1, momentum=0.9), k=5, alpha=0.5)");
  CHECK(all[1].spec == "lookahead(momentum(lr=0.1, momentum=0.9), k=10, alpha=0.5)");
  CHECK(all[0].label == "lr=0.1 k=5");
  CHECK(all[3].label == "lr=0.2 k=10");
  const auto axes = sweep_axes(all);
  REQUIRE(axes.size() == 2);
  CHECK(axes[0].name == "lr");
  CHECK(axes[0].values == std::vector<std::string>{"0.1", "0.2"});
  CHECK(axes[1].values == std::vector<std::string>{"5", "10"});
}

TEST_CASE("rules that differ are named by their rules, and named ones by their names") {
  const auto all = expand_optimizers(
      {"sgd(lr=0.1)", "lookahead(sgd(lr=0.1), k=5, alpha=0.5)", "la=lookahead(sgd(lr={1,2}), k=5, alpha=0.8)"});
  REQUIRE(all.size() == 4);
  CHECK(all[0].label == "sgd");
  CHECK(all[1].label == "lookahead(sgd)");
  CHECK(all[2].label == "la lr=1");
  CHECK(all[3].label == "la lr=2");
}

TEST_CASE("the same twice, or nothing, is refused") {
  CHECK_THROWS_AS(expand_optimizers({}), UsageError);
  CHECK_THROWS_AS(expand_optimizers({"sgd(lr=0.1)", "sgd(lr=0.1)"}), UsageError);
  CHECK_THROWS_AS(expand_optimizers({"a=sgd(lr=0.1)", "a=sgd(lr=0.2)"}), UsageError);
}

TEST_CASE("names of runs are names of folders") {
  CHECK(run_name("k=5 alpha=0.2", 0) == "k=5-alpha=0.2-seed0");
  CHECK(run_name("lookahead(momentum) lr=0.08", 7) == "lookahead-momentum-lr=0.08-seed7");
  CHECK(run_name("../../x/y", 1) == "run-..-..-x-y-seed1");
  CHECK(run_name("", 1) == "run--seed1");
  CHECK(run_name(std::string(1000, 'a'), 2).size() <= 255);
}
