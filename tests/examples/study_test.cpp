// study: scores and profiles of hand-made trials; the program as a child process on tiny sizes: the same trials for
// every number of jobs and after a kill, a rule of one's own, a cut by minutes, wrong command lines.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/optim/leaf.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "study/findings.h"
#include "study/page.h"
#include "study/tasks.h"

using namespace tandem;
using namespace tandem::study;
using namespace tandem::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Settings two_rules() {
  return {.contestants = {{"a", "sgd(lr=0.1)", "constant"}, {"b", "adam(lr=0.001)", "constant"}},
          .tasks = {"quadratic", "table"},
          .trials = 3,
          .seeds = {0, 1}};
}

/// a is best on both; b costs twice as much on the quadratic, and diverges on the table unless its rate is tuned.
Outcomes made_outcomes(const Settings& s) {
  Outcomes outcomes;
  const std::vector<double> factors = factors_of(s);
  const auto put = [&](const char* task, const char* rule, double factor, std::uint64_t seed, double cost) {
    outcomes[{task, rule, factor, seed}] = {.costs = {cost, cost}, .steps = 10, .evaluations = 20, .seconds = 0.5};
  };
  for (const char* task : {"quadratic", "table"}) {
    for (const double factor : factors) put(task, "a", factor, kTuningSeed, factor == 1 ? 0.1 : 0.4);
    for (const std::uint64_t seed : {0, 1}) put(task, "a", 1, seed, seed == 0 ? 0.09 : 0.11);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    put("quadratic", "b", factors[i], kTuningSeed, i == 0 ? 0.2 : 1.0);
    put("table", "b", factors[i], kTuningSeed, i == 2 ? 0.3 : kInfinity);
  }
  for (const std::uint64_t seed : {0, 1}) {
    put("quadratic", "b", 1, seed, 0.2);
    put("table", "b", 1, seed, kInfinity);
    put("table", "b", factors[2], seed, 1.0);
  }
  return outcomes;
}

std::vector<std::string> small(const TemporaryFolder& folder, const std::string& out) {
  return {"--rules",  "momentum,lookahead,momentum_half,sam",
          "--tasks",  "quadratic,table",
          "--trials", "3",
          "--scale",  "0.05",
          "--seed",   "0",
          "--seed",   "1",
          "--out",    (folder / out).string()};
}

/// The results without their times.
std::vector<std::string> results_in(const std::filesystem::path& folder) {
  std::vector<std::string> lines;
  const std::string text = read_file(folder / "results.csv");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    lines.push_back(line.substr(0, line.rfind(',')));
    begin = end + 1;
  }
  return lines;
}

Finished run(const std::vector<std::string>& arguments) { return run_child("study", arguments); }

}  // namespace

TEST_CASE("study: scores, profiles, choices and sensitivity by hand") {
  CHECK(score_of(0.1, 0.1) == 1);
  CHECK(score_of(1, 0.1) == doctest::Approx(0));
  CHECK(score_of(5, 0.1) == 0);
  CHECK(score_of(kInfinity, 0.1) == 0);
  CHECK(score_of(0.1 * std::sqrt(10.0), 0.1) == doctest::Approx(0.5));

  const Settings s = two_rules();
  const std::vector<double> factors = factors_of(s);
  REQUIRE(factors.size() == 3);
  CHECK(factors[0] == 1);
  CHECK(factors[1] != factors[2]);
  const Outcomes outcomes = made_outcomes(s);
  CHECK(chosen_factor(s, outcomes, "table", "b") == factors[2]);
  CHECK(chosen_factor(s, outcomes, "quadratic", "b") == 1);
  CHECK(tuning_trials(s).size() == 2 * 2 * 3);
  CHECK(reported_trials(s, outcomes).size() == 2 * 2 * 2 + 2);

  const Findings f = findings_of(s, all_tasks(), outcomes);
  REQUIRE(f.standings.size() == 2);
  const Standing &a = f.standings[0], &b = f.standings[1];
  CHECK(a.contestant.name == "a");
  CHECK(f.best[0] == doctest::Approx(0.1));
  // Tuned: b has ratio 2 on the quadratic and 10 on the table; by default it diverges there.
  CHECK(interval_of(b.tuned_scores).mean == doctest::Approx((1 - std::log10(2.0)) / 2));
  CHECK(interval_of(b.default_scores).mean == doctest::Approx((1 - std::log10(2.0)) / 2));
  CHECK(a.tuned_scores[1] == doctest::Approx(1 - std::log10(1.1)));
  CHECK(interval_of({1, 2, 3}).reach == doctest::Approx(4.303 / std::sqrt(3.0)).epsilon(1e-3));
  CHECK(profile_of(f, b, true, {1, 1.9, 2, 9.99, 10}) == std::vector<double>{0, 0, 0.5, 0.5, 1});
  CHECK(profile_of(f, b, false, {2, 10}) == std::vector<double>{0.5, 0.5});
  CHECK(profile_of(f, a, true, {1}) == std::vector<double>{1});
  CHECK(a.near == 2);  // its best trial of each task alone
  CHECK(b.near == 2);
  CHECK(b.diverged == 2 + 2);
  CHECK(a.tuning_steps == 60);
  CHECK(a.tuning_evaluations == 120);
  CHECK(a.area == doctest::Approx((1 + 2 * (1 - std::log10(4.0))) / 3));
  CHECK(difference(f, "b", "a", 0, true).mean ==
        doctest::Approx((std::log10(0.2 / 0.09) + std::log10(0.2 / 0.11)) / 2));
  CHECK(difference(f, "b", "a", 1, false).left_out == 2);

  Outcomes missing = outcomes;
  missing.erase({"table", "a", 1.0, 1});
  CHECK_THROWS_WITH_AS(findings_of(s, all_tasks(), missing),
                       "study: a trial is missing: a on table, factor 1, seed 1; --resume goes on", Error);
}

TEST_CASE("study: trials as lines and back, infinities too; a line that was cut is left out, nonsense refused") {
  const TemporaryFolder folder;
  const Outcomes outcomes = made_outcomes(two_rules());
  std::string text;
  for (const auto& entry : outcomes) text += line_of(entry.first, entry.second);
  write_file(folder / "trials.jsonl", text + text.substr(0, 25));
  Outcomes back;
  read_lines(folder / "trials.jsonl", back);
  CHECK(back.size() == outcomes.size());
  std::string again;
  for (const auto& entry : back) again += line_of(entry.first, entry.second);
  CHECK(again == text);
  write_file(folder / "trials.jsonl", "{\"task\": 1}\n");
  CHECK_THROWS_AS(read_lines(folder / "trials.jsonl", back), Error);
}

TEST_CASE("study: every task trains with every kind of rule, and equal seeds give equal costs") {
  for (const Task& task : all_tasks()) {
    CAPTURE(task.name);
    const Contestant sam{"sam", "sam(momentum(lr=0.05, momentum=0.9), rho=0.05)", "constant"};
    const Outcome first = run_trial(task, sam, 1, 3, 10), second = run_trial(task, sam, 1, 3, 10);
    CHECK_FALSE(first.is_diverged());
    CHECK(first.costs.test == second.costs.test);
    CHECK(first.costs.validation == second.costs.validation);
    CHECK(first.evaluations == 20);
    CHECK(first.steps == 10);
    if (task.name != "quadratic" && task.name != "table") continue;  // batch norm makes any weights finite
    const Outcome wild = run_trial(task, {"wild", "sgd(lr=1e30)", "constant"}, 1, 3, 10);
    CHECK(wild.is_diverged());
  }
}

// A rule of a user's own; its types may not stand in an anonymous namespace.
namespace study_test {

struct Options {
  Schedule lr = 0.05;
  void fields(Fields& f) { f("lr", lr, kNotNegative, kAlways); }
};

template <class T>
struct Own {
  using Options = study_test::Options;
  static constexpr const char* kName = "own_in_study";
  static constexpr auto kState = kNoState;
  T lr;
  Own(const Options& h, Step t) : lr(coefficient<T>("lr", h.lr(t))) {}
  void operator()(T& w, T g) const { w -= lr * g; }
};

}  // namespace study_test

TEST_CASE("study: a rule that a program registers takes part under its name, with its defaults") {
  register_leaf<study_test::Own>();
  std::vector<std::string> left_out;
  const std::vector<Contestant> all = registered_contestants(left_out);
  const auto found = std::find_if(all.begin(), all.end(), [](const Contestant& c) { return c.name == "own_in_study"; });
  REQUIRE(found != all.end());
  CHECK(found->spec == "own_in_study(lr=0.05)");
  const Contestant sgd{"sgd", "sgd(lr=0.05)", kSchedule};
  CHECK(run_trial(table_task(), *found, 2, 1, 20).costs.test == run_trial(table_task(), sgd, 2, 1, 20).costs.test);
}

TEST_CASE("study: every registered rule takes part") {
  std::vector<std::string> left_out;
  const std::vector<Contestant> all = registered_contestants(left_out);
  CHECK(left_out.empty());
  CHECK(all.size() == rule_names().size() + 3);
  for (const Contestant& contestant : all) {
    CAPTURE(contestant.name);
    const Outcome outcome = run_trial(table_task(), contestant, 1, 0, 12);
    CHECK(outcome.steps >= 1);
  }
  CHECK_THROWS_WITH_AS(
      own_contestant("adam"),
      "--rule: is \"adam\", must be NAME=SPEC; e.g. --rule \"mine=lookahead(adam(lr=1e-3), k=10, alpha=0.5)\"",
      UsageError);
}

TEST_CASE("study: the program writes its results; jobs and a kill do not change them") {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = small(folder, "one");
  arguments.insert(arguments.end(), {"--rule", "mine=lookahead(adam(lr=0.01), k=3, alpha=0.5)"});
  const Finished finished = run(arguments);
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.find("rules      5\n") != std::string::npos);
  CHECK(finished.output.find("Leaderboard") != std::string::npos);
  CHECK(finished.output.find("lookahead / momentum_half") != std::string::npos);
  const std::vector<std::string> results = results_in(folder / "one");
  CHECK(std::count_if(results.begin(), results.end(), [](const std::string& line) {
          return line.find(",mine,") != std::string::npos;
        }) >= 2 * 3 + 2 * 2);
  const std::string report = read_file(folder / "one/report.html");
  for (const char* word : {"momentum_half", "mine", "Performance profile", "quadratic"})
    CHECK(report.find(word) != std::string::npos);

  SUBCASE("two jobs") {
    arguments = small(folder, "two");
    arguments.insert(arguments.end(),
                     {"--rule", "mine=lookahead(adam(lr=0.01), k=3, alpha=0.5)", "--jobs", "2", "--quiet"});
    REQUIRE(run(arguments).code == 0);
    CHECK(results_in(folder / "two") == results);
  }
  SUBCASE("killed, then resumed; a study that lies there is refused, or replaced") {
    arguments = small(folder, "killed");
    arguments.insert(arguments.end(), {"--rule", "mine=lookahead(adam(lr=0.01), k=3, alpha=0.5)"});
    {
      Child child("study", arguments, "/nonexistent", {});
      for (int i = 0; i < 500 && !std::filesystem::exists(folder / "killed/trials-0.jsonl"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      child.send(SIGINT);
      const Finished interrupted = child.wait();
      if (interrupted.code != 0) {  // else it was faster
        CHECK(interrupted.code == 128 + SIGINT);
        CHECK(interrupted.last_error_line().find("--resume ") != std::string::npos);
      }
    }
    const Finished resumed = run({"--resume", (folder / "killed").string()});
    REQUIRE(resumed.code == 0);
    CHECK(results_in(folder / "killed") == results);

    const Finished refused = run(small(folder, "killed"));
    CHECK(refused.code == 2);
    CHECK(refused.last_error_line().find("a study lies there") != std::string::npos);
    arguments = small(folder, "killed");
    arguments.emplace_back("--overwrite");
    CHECK(run(arguments).code == 0);
    CHECK(results_in(folder / "killed").size() < results.size());
  }
}

TEST_CASE("study: --minutes scales the steps, and says by how much") {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {"--rules",   "sgd,adam",  "--tasks", "table", "--trials",
                                        "2",         "--seed",    "0",       "--out", (folder / "cut").string(),
                                        "--minutes", "0.00000001"};
  const Finished finished = run(arguments);
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.find("scale      0.02, for 1e-08 minutes") != std::string::npos);
  CHECK(nlohmann::json::parse(read_file(folder / "cut/study.json"))["scale"] == 0.02);
}

TEST_CASE("study: wrong command lines end with code 2 and one line") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& words) {
    const Finished finished = run(arguments);
    CHECK(finished.code == 2);
    INFO(finished.error);
    CHECK(finished.last_error_line().find(words) != std::string::npos);
  };
  refused({"--rules", "adan,momentun"}, "did you mean momentum?");
  refused({"--tasks", "quadratik"}, "did you mean quadratic?");
  refused({"--rule", "mine=adm(lr=1)"}, "did you mean");
  refused({"--rule", "adam=adam(lr=1)"}, "--rule: the name \"adam\" is taken");
  refused({"--trials", "0"}, "--trials: is 0, must be in [1, 1000]");
  refused({"--seed", "1000"}, "--seed: 1000 is the seed that tuning uses");
  refused({"--seed", "1", "--seed", "1"}, "--seed: is given twice");
  refused({"--resume", folder.path().string(), "--trials", "3"}, "--resume: takes what the study has");
  const Finished none = run({"--resume", folder.path().string()});
  CHECK(none.code == 1);
  CHECK(none.last_error_line().find("no study lies there") != std::string::npos);
}
