// `quadratic`: what Tandem's optimizers do on the two quadratics, held against the formulas, and the program itself as
// users run it. Seeds are fixed. The formulas alone: quadratic_theory_test.cpp.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/quadratic/adaptive.h"
#include "examples/quadratic/experiments.h"
#include "examples/quadratic/measure.h"
#include "examples/quadratic/sweep.h"

using namespace tandem;
using namespace tandem::quadratic;
using tandem::test::Finished;
using tandem::test::run_child;
using tandem::test::TemporaryFolder;

TEST_CASE("an estimate: mean and its standard error by hand") {
  const Estimate e = estimate({1, 2, 3, 6});
  CHECK(e.mean == doctest::Approx(3));
  CHECK(e.standard_error == doctest::Approx(std::sqrt(14.0 / 3 / 4)));
  CHECK(e.deviation(3 - 2 * e.standard_error) == doctest::Approx(2));
}

TEST_CASE("methods become rules, and the plain ones stay plain") {
  CHECK(rule_of(Method{.lr = 0.5}).describe() == "sgd(lr=0.5)");
  CHECK(rule_of(Method{.lr = 0.5, .k = 5, .alpha = 0.8}).describe() == "lookahead(sgd(lr=0.5), k=5, alpha=0.8)");
  CHECK(rule_of(HeavyBall{.momentum = 0.5}, 0.1).describe() == "momentum(lr=0.1, momentum=0.5)");
  CHECK(rule_of(HeavyBall{.momentum = 0.5, .k = 5, .alpha = 0.5, .state = State::reset}, 0.1).describe() ==
        "lookahead(momentum(lr=0.1, momentum=0.5), k=5, alpha=0.5, state=reset)");
}

TEST_CASE("steady-state variances of SGD and Lookahead are within three standard errors of the six pairs") {
  const double kTheory[] = {.333333, .113402, .333333, .224490, .052632, .023314,
                            .025641, .011391, .002506, .000482, 3.0,     .978947};
  const std::vector<VarianceRow> rows = run_variance({.copies = 256});
  REQUIRE(rows.size() == std::size(kTheory));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(rule_of(rows[i].method).describe());
    CHECK(std::abs(rows[i].theory - kTheory[i]) < 1e-6);
    CHECK(std::abs(rows[i].deviation()) < 3);
    CHECK(rows[i].measured.standard_error < 0.06 * rows[i].theory);
  }
}

TEST_CASE("results depend on the seed, not on the number of threads") {
  const VarianceSetting setting{{.curvature = 1, .lr = .5}, {{.lr = .5}, {.lr = .5, .k = 5, .alpha = .5}}, 5, 20};
  const int team = threads();
  set_threads(1);
  const auto one = measure_variances({setting}, 64, Generator(1));
  set_threads(2);
  const auto two = measure_variances({setting}, 64, Generator(1));
  set_threads(team);
  const auto other = measure_variances({setting}, 64, Generator(2));
  CHECK(one[0][1].mean == two[0][1].mean);
  CHECK(one[0][1].mean != other[0][1].mean);
}

TEST_CASE("the sweep gives methods that end at the asked loss, and counts steps to the target") {
  const Spectrum s{curvature_grid(100, 16)};
  for (const double final : {0.002, 0.02}) {
    for (const double alpha : {1., .5, .2}) {
      const int k = alpha == 1 ? 1 : 5;
      const auto m = method_ending_at(s, final, k, alpha);
      REQUIRE(m);
      CHECK(final_loss(s, *m) == doctest::Approx(final).epsilon(1e-9));
      const int steps = steps_to_target(s, *m, 0.01);
      CHECK(steps % k == 0);
      CHECK(loss_after(s, *m, steps / k) <= target_loss(s, final, 0.01));
      CHECK(loss_after(s, *m, steps / k - 1) > target_loss(s, final, 0.01));
    }
  }
  CHECK_FALSE(method_ending_at(s, 100, 5, 0.1));
  // One coordinate, by the recursion.
  const Spectrum single{{0.5}, 3, 2};
  const NoisyQuadratic q{.curvature = 0.5, .lr = 0.4, .noise = 2};
  CHECK(loss_after(single, {.4, 5, .7}, 6) == doctest::Approx(0.25 * second_moment_after(q, 5, .7, 3, 30)));
}

TEST_CASE("descents reach the target where the formula says, with the loss it says") {
  const Spectrum s{curvature_grid(10, 4)};
  for (const Method& m : {Method{.3, 1, 1}, Method{.5, 5, .5}}) {
    const int steps = steps_to_target(s, m, 0.01);
    const double target = target_loss(s, final_loss(s, m), 0.01);
    const Descent d = measure_descents(s, {{m, target, steps, 400}}, 512, Generator(3)).front();
    CHECK(std::abs(d.steps - steps) <= m.k);
    CHECK(std::abs(d.at_look.deviation(loss_after(s, m, steps / m.k))) < 3);
    CHECK(std::abs(d.long_run.deviation(final_loss(s, m))) < 3);
  }
}

TEST_CASE("the heavy ball under Lookahead contracts as the formula says, also where it diverges") {
  const std::vector<double> curvatures = curvature_grid(100, 20);
  std::vector<HeavyBall> methods = {{.momentum = .99}, {.momentum = .5}};
  for (const int k : {5, 20})
    for (const State state : {State::maintain, State::interpolate, State::reset})
      for (const double momentum : {.5, .99}) methods.push_back({momentum, k, .5, state});
  std::vector<DecayPlan> plans;
  for (const HeavyBall& h : methods) {
    const double rate = 1 - worst_contraction(h, 1, curvatures);
    plans.push_back({h, 1, curvatures, static_cast<int>(std::min(200 / std::abs(rate), 20000.))});
  }
  const std::vector<double> measured = measure_contractions(plans);
  for (std::size_t i = 0; i < methods.size(); ++i) {
    INFO(rule_of(methods[i], 1).describe());
    CHECK(1 - measured[i] == doctest::Approx(1 - worst_contraction(methods[i], 1, curvatures)).epsilon(0.03));
  }
  const HeavyBall diverging{.99, 5, .5, State::maintain};
  const double rate = 1 - measure_contractions({{diverging, 1, curvature_grid(1000), 20000}}).front();
  CHECK(rate == doctest::Approx(-4e-4).epsilon(0.03));
}

TEST_CASE("adaptive alpha: fixed alphas follow the formula, adaptive is near the best of them without noise") {
  const std::vector<AdaptiveRow> rows = run_adaptive(16, 1);
  REQUIRE(rows.size() == 15);
  for (const AdaptiveRow& row : rows) {
    INFO(row.setting.name << ": " << row.rule);
    REQUIRE(row.losses.size() == 61);
    CHECK(row.theory.empty() == (!row.alpha || row.setting.momentum > 0));
    if (row.theory.empty()) continue;
    CHECK(row.losses.front().mean == doctest::Approx(row.theory.front()));
    if (row.setting.spectrum.noise > 0)
      CHECK(std::abs(row.losses.back().deviation(row.theory.back())) < 3);
    else
      for (std::size_t i = 0; i < row.theory.size(); ++i)
        CHECK(row.losses[i].mean == doctest::Approx(row.theory[i]).epsilon(1e-9));
  }
  const auto last = [&](std::size_t i) { return rows[i].losses.back().mean; };
  for (std::size_t i = 0; i < 4; ++i) CHECK(last(4) < 1.1 * last(i));  // sgd without noise: 0.2, 0.5, 0.8, 1, adaptive
  CHECK(rows[0].steps_to(2) == 0);
  CHECK_FALSE(rows[10].steps_to(1e-9).has_value());
}

TEST_CASE("the program writes its figures and says what it measured") {
  const TemporaryFolder folder;
  const Finished finished = run_child("quadratic", {"--copies", "64", "--rate-steps", "400", "--seed", "4", "--quiet",
                                                    "--out", (folder / "run").string()});
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.error.empty());
  for (const char* part :
       {"Steady-state variance", "equal final loss", "heavy ball", "diverges", "Adaptive alpha", "report.html"})
    CHECK(finished.output.find(part) != std::string::npos);
  CHECK(finished.output.find("measuring") == std::string::npos);

  const auto json = nlohmann::json::parse(read_file(folder / "run/quadratic.json"));
  CHECK(json["program"] == "quadratic");
  CHECK(json["seed"] == 4);
  CHECK(json["variance"].size() == 12);
  CHECK(json["variance"][1]["rule"] == "lookahead(sgd(lr=0.5), k=5, alpha=0.5)");
  CHECK(json["convergence"]["measured"].size() == 6);
  CHECK(json["rates"]["at_lr_one"][1]["theory"].get<double>() < 0);
  const auto lines = [&](const char* name) {
    const std::string text = read_file(folder / (std::string("run/") + name));
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  CHECK(lines("variance.csv") == 13);
  CHECK(lines("convergence.csv") == 1 + json["convergence"]["sweep"].size());
  CHECK(lines("rates.csv") == 1 + 7 * 13 + 7 * 10 + 4);
  CHECK(json["adaptive"]["rows"].size() == 15);
  CHECK(lines("adaptive.csv") == 1 + 15 * 61);
  const std::string report = read_file(folder / "run/report.html");
  for (const auto& row : json["variance"])
    CHECK(report.find(fmt::format("<data value=\"{}\">", row["measured"].get<double>())) != std::string::npos);
  for (const char* part : {"src=\"http", "href=\"http"}) CHECK(report.find(part) == std::string::npos);
  CHECK(report.substr(0, report.find("<script")).find("nan") == std::string::npos);
  for (const char* title : {"Steady-state variance", "Convergence at equal final loss", "Rate of the heavy ball",
                            "Adaptive alpha", "How it was measured"})
    CHECK(report.find(fmt::format(">{}</h2>", title)) != std::string::npos);
  CHECK(report.find("--copies 64 --rate-steps 400 --seed 4") != std::string::npos);
}

TEST_CASE("a result is replaced when asked, what is not one never; Ctrl-C leaves nothing behind") {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"--copies", "64",    "--rate-steps",         "200",
                                      "--quiet",  "--out", (folder / out).string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_child("quadratic", words);
  };
  std::filesystem::create_directories(folder / "mine");
  write_file(folder / "mine/report.html", "mine");
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--overwrite"}}) {
    const Finished refused = run("mine", more);
    CHECK(refused.code == 2);
    CHECK(refused.last_error_line().find("holds files that are not a result of quadratic") != std::string::npos);
    CHECK(read_file(folder / "mine/report.html") == "mine");
  }
  write_file(folder / "mine/quadratic.json", "{\"program\": \"quadratic\"}");
  CHECK(run("mine", {"--overwrite"}).code == 2);
  CHECK(read_file(folder / "mine/report.html") == "mine");

  std::filesystem::create_directories(folder / "result");
  REQUIRE(run("result", {}).code == 0);
  write_file(folder / "result/notes.txt", "mine");
  const std::string before = read_file(folder / "result/quadratic.json");
  const Finished refused = run("result", {});
  CHECK(refused.code == 2);
  CHECK(refused.last_error_line().find("--overwrite") != std::string::npos);
  CHECK(read_file(folder / "result/quadratic.json") == before);
  CHECK(run("result", {"--overwrite", "--seed", "5"}).code == 0);
  CHECK(nlohmann::json::parse(read_file(folder / "result/quadratic.json"))["seed"] == 5);
  CHECK(read_file(folder / "result/notes.txt") == "mine");

  for (const bool is_result : {false, true}) {
    const std::string out = is_result ? "result" : "new";
    const std::string kept = read_file(folder / "result/quadratic.json");
    const auto stale = folder / "result/.tandem-99999999-1.tmp";  // goes when the program has the folder
    write_file(stale, "");
    tandem::test::Child child("quadratic", {"--out", (folder / out).string(), "--overwrite"}, "/nonexistent", {});
    while (!child.has_ended() && (is_result ? std::filesystem::exists(stale) : !std::filesystem::exists(folder / out)))
      ::usleep(1000);
    child.send(SIGINT);
    const Finished finished = child.wait();
    CHECK(finished.code == 128 + SIGINT);
    CHECK(finished.last_error_line() == "interrupted: nothing was written");
    CHECK(std::filesystem::exists(folder / out) == is_result);
    CHECK(read_file(folder / "result/quadratic.json") == kept);
  }
}

TEST_CASE("a wrong command line ends with 2, a folder that cannot be written with 1") {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::vector<std::string>& arguments, int code, const std::string& part) {
    const Finished finished = run_child("quadratic", arguments);
    CHECK(finished.code == code);
    INFO(finished.error);
    CHECK(finished.last_error_line().find(part) != std::string::npos);
    CHECK(std::count(finished.error.begin(), finished.error.end(), '\n') == 1);
  };
  refuse({"--copies", "1"}, 2, "--copies: is 1, must be in [64, ");
  refuse({"--rate-steps", "0"}, 2, "--rate-steps: is 0");
  refuse({"--threads", "-1"}, 2, "--threads: is -1");
  refuse({"--seed", "x"}, 2, "--seed");
  refuse({"--copy", "5"}, 2, "there is no option --copy; did you mean --copies?");
  refuse({"--seed", "-1"}, 2, "--seed: -1 is negative");
  write_file(folder / "file", "x");
  refuse({"--out", (folder / "file/run").string()}, 1, (folder / "file/run").string());
}
