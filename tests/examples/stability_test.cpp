// `stability`: gradients, trainings against a twin without shortcuts, the pilot's figures, slopes; and the program as
// users run it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/stability/files.h"
#include "examples/stability/findings.h"

using namespace tandem;
using namespace tandem::stability;
using tandem::test::Finished;
using tandem::test::run_child;
using tandem::test::TemporaryFolder;

namespace {

/// The mean of a quantity over repetitions, of the last look.
double mean_of(const Problem& p, const Training& t, int repetitions, double Outcome::*quantity = &Outcome::distance2) {
  double sum = 0;
  for (int r = 0; r < repetitions; ++r) sum += simulate(p, t, 100, 0, r).back().*quantity;
  return sum / repetitions;
}

/// One training on S with example `replaced` from the neighbours (n: none), from the paper's algorithm.
std::vector<double> train_plainly(const Problem& p, const Training& t, std::uint64_t seed, int repetition,
                                  int replaced) {
  const auto stream = [&](Stream s) { return Generator(seed, s).split(static_cast<std::uint64_t>(repetition)); };
  std::vector<double> teacher(static_cast<std::size_t>(p.weights));
  Generator teaching = stream(kTeacher);
  for (double& value : teacher) value = teaching.normal();
  const auto n = static_cast<std::size_t>(t.n), inputs = static_cast<std::size_t>(p.inputs);
  Examples s = p.draw(n, teacher, stream(kData));
  const Examples others = p.draw(n, teacher, stream(kNeighbours));
  if (replaced < t.n) {
    const auto i = static_cast<std::size_t>(replaced);
    std::copy_n(others.x.begin() + static_cast<std::ptrdiff_t>(i * inputs), inputs,
                s.x.begin() + static_cast<std::ptrdiff_t>(i * inputs));
    s.y[i] = others.y[i];
  }
  std::vector<double> slow = p.initial(stream(kInitial)), fast = slow;
  Generator batches = stream(kBatches);
  for (int step = 1; step <= t.looks.back(); ++step) {
    std::vector<double> g(fast.size(), 0);
    for (int b = 0; b < t.batch; ++b) {
      const auto j = static_cast<std::size_t>(batches.below(t.n));
      p.gradient(fast.data(), s.x.data() + j * inputs, s.y[j], g.data());
    }
    for (std::size_t i = 0; i < fast.size(); ++i) fast[i] -= t.method.lr * (g[i] / t.batch + p.ridge * fast[i]);
    if (step % t.method.k != 0) continue;
    for (std::size_t i = 0; i < fast.size(); ++i) slow[i] += t.method.alpha * (fast[i] - slow[i]);
    fast = slow;
  }
  return slow;
}

}  // namespace

TEST_CASE("gradients are those of the losses") {
  for (const Problem& p : problems()) {
    CAPTURE(p.name);
    Generator random(3);
    std::vector<double> w(static_cast<std::size_t>(p.weights)), teacher = w;
    for (double& value : w) value = random.normal();
    for (double& value : teacher) value = random.normal();
    const Examples e = p.draw(3, teacher, random);
    for (std::size_t i = 0; i < 3; ++i) {
      const double* x = e.x.data() + i * static_cast<std::size_t>(p.inputs);
      std::vector<double> g(w.size(), 1);  // it adds
      CHECK(p.gradient(w.data(), x, e.y[i], g.data()) == doctest::Approx(p.loss(w.data(), x, e.y[i])));
      for (std::size_t j = 0; j < w.size(); ++j) {
        const double h = 1e-6, kept = w[j];
        w[j] = kept + h;
        const double above = p.loss(w.data(), x, e.y[i]);
        w[j] = kept - h;
        const double below = p.loss(w.data(), x, e.y[i]);
        w[j] = kept;
        CHECK(g[j] - 1 == doctest::Approx((above - below) / (2 * h)).epsilon(1e-5).scale(1));
      }
    }
  }
}

TEST_CASE("all neighbours at once are what each training alone gives") {
  for (const Problem& p : problems())
    for (const Method& m : {Method{"sgd", p.lr}, Method{"lookahead", p.lr, 3, 0.5}}) {
      CAPTURE(p.name);
      const Training t{m, 6, 2, {12}};
      const std::vector<double> base = train_plainly(p, t, 7, 1, t.n);
      double distance2 = 0;
      for (int i = 0; i < t.n; ++i) {
        const std::vector<double> other = train_plainly(p, t, 7, 1, i);
        for (std::size_t j = 0; j < base.size(); ++j) distance2 += (base[j] - other[j]) * (base[j] - other[j]) / t.n;
      }
      CHECK(distance2 > 0);
      CHECK(simulate(p, t, 100, 7, 1).back().distance2 == doctest::Approx(distance2).epsilon(1e-9));
    }
}

TEST_CASE("identities: alpha 1 is SGD, k 1 is SGD at alpha lr, without steps' length nothing differs") {
  const Problem& p = find_problem("logistic");
  const auto of = [&](const Method& m) { return simulate(p, {m, 20, 4, {30, 60}}, 20, 0, 0); };
  const auto same = [](const std::vector<Outcome>& a, const std::vector<Outcome>& b) {
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(a[i].distance2 == doctest::Approx(b[i].distance2).epsilon(1e-9));
      CHECK(a[i].gap == doctest::Approx(b[i].gap).epsilon(1e-9));
      CHECK(a[i].test == doctest::Approx(b[i].test).epsilon(1e-9));
    }
  };
  same(of({"", 1.5, 5, 1}), of({"", 1.5}));
  same(of({"", 1.5, 1, 0.4}), of({"", 0.6}));
  CHECK(of({"", 0})[1].distance2 == 0);
  CHECK(of({"", 0})[1].gap == 0);
  CHECK(of({"", 1.5})[1].distance2 > 0);
  CHECK(simulate(p, {{"", 1.5}, 20, 4, {60}}, 20, 1, 0)[0].distance2 != of({"", 1.5})[1].distance2);
}

TEST_CASE("the pilot: least squares, n = 100, 300 steps") {
  const Problem& p = find_problem("least_squares");
  const struct {
    Method method;
    double distance2[3];  // b = 1, 4, 16
  } kPilot[] = {{{"sgd", 1}, {.54, .022, .0099}},
                {{"sgd", .5}, {.087, .0099, .0080}},
                {{"lookahead", 1, 5, .5}, {.095, .0087, .0075}}};
  for (const auto& row : kPilot)
    for (int i = 0; i < 3; ++i) {
      const double measured = mean_of(p, {row.method, 100, 1 << (2 * i), {300}}, 40);
      INFO(row.method.name << " lr " << row.method.lr << ": " << measured << ", pilot " << row.distance2[i]);
      CHECK(std::fabs(std::log(measured / row.distance2[i])) < std::log(1.75));  // the pilot had few repetitions
    }
}

TEST_CASE("the gap from neighbours is the difference of the risks in the mean") {
  const Problem& p = find_problem("least_squares");
  const Training t{{"sgd", 1}, 25, 4, {100}};
  std::vector<double> differences;
  for (int r = 0; r < 400; ++r) {
    const Outcome o = simulate(p, t, 25, 0, r).back();
    differences.push_back(o.gap - (o.test - o.train));
  }
  const Interval i = interval(differences);
  CHECK(i.low < 0);
  CHECK(i.high > 0);
  CHECK(i.high - i.low < 0.2);  // of a gap of about 0.25
}

TEST_CASE("slopes of a power law, intervals by hand, ratios of pairs") {
  const Interval hand = interval({1, 2, 3, INFINITY});
  CHECK(hand.mean == doctest::Approx(2));
  CHECK(hand.high == doctest::Approx(2 + 4.30265 / std::sqrt(3)).epsilon(1e-4));
  CHECK(hand.left_out == 1);
  std::vector<Cell> cells;
  for (const char* method : {"sgd", "lookahead"})
    for (const int n : {25, 50, 100}) {
      Cell cell{"ridge", Axis::n, static_cast<double>(n), {{method, 1}, n, 4, {10}}, {}};
      for (int r = 1; r <= 3; ++r)
        cell.outcomes.push_back({{.distance2 = r * std::pow(n, -2.0) * (method[0] == 's' ? 1 : 2)}});
      cells.push_back(cell);
    }
  const auto found = slope(cells, "ridge", Axis::n, "sgd", 25, 100);
  REQUIRE(found);
  CHECK(found->mean == doctest::Approx(-2));
  CHECK(found->high - found->low < 1e-9);
  CHECK_FALSE(slope(cells, "ridge", Axis::batch, "sgd", 1, 100));
  const auto twice = ratio(cells, "ridge", Axis::n, 50, "lookahead", "sgd", Quantity::distance2);
  REQUIRE(twice);
  CHECK(twice->mean == doctest::Approx(2));
  CHECK_FALSE(ratio(cells, "ridge", Axis::n, 33, "lookahead", "sgd", Quantity::distance2));
  const std::vector<Curve> all = curves(cells, "ridge", Axis::n, Quantity::distance2);
  REQUIRE(all.size() == 2);
  CHECK(all[0].values[1].mean == doctest::Approx(2 * std::pow(50, -2.0)));
}

TEST_CASE("the reconstruction: powers of n and alpha, and saturation where it is strongly convex") {
  const Problem& p = find_problem("ridge");
  Cell way{"ridge", Axis::steps, 0, {{"lookahead", 0.5, 5, 0.5}, 100, 4, {5, 10, 100000}}, {}};
  way.outcomes.push_back({{.distance2 = 1}, {.distance2 = 2}, {.distance2 = 3}});
  const Curve curve = curves({way}, "ridge", Axis::steps, Quantity::distance2).at(0);
  const std::vector<double> steps = theory({way}, p, Axis::steps, curve);
  const double r = 1 - 0.5 * (1 - std::pow(1 - 0.5 * 0.3, 5));  // mu = 1/5 + 1/10
  CHECK(steps[2] == doctest::Approx(3));
  CHECK(steps[0] == doctest::Approx(3 * std::pow(1 - r, 2)));
  CHECK(steps[1] == doctest::Approx(3 * std::pow(1 - r * r, 2)));
}

TEST_CASE("the program: tables, files, an interrupted result that goes on to the same figures") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  const std::vector<std::string> options = {"--problem", "ridge", "--repetitions", "3",  "--neighbours", "5",
                                            "--n",       "20",    "--steps",       "20", "--out",        out};
  const Finished finished = run_child("stability", options);
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  for (const char* part : {"Ridge regression", "sgd at alpha lr", "Slopes", "report.html"})
    CHECK(finished.output.find(part) != std::string::npos);
  const std::string curves_before = read_file(folder / "run/curves.csv"), cells = read_file(folder / "run/cells.jsonl");
  const auto json = nlohmann::json::parse(read_file(folder / "run/stability.json"));
  CHECK(json["repetitions"] == 3);
  CHECK(json["slopes"].size() >= 12);
  CHECK(static_cast<std::size_t>(std::count(cells.begin(), cells.end(), '\n')) == plan({.problems = {"ridge"}}).size());
  const std::string page = read_file(folder / "run/report.html");
  for (const char* part : {"our reconstruction", "How it was measured", "Ridge regression"})
    CHECK(page.find(part) != std::string::npos);
  CHECK(page.find("src=\"http") == std::string::npos);
  CHECK(page.find("--repetitions 3") != std::string::npos);

  // Cut in the middle of a line: what is whole stays, the rest is measured again.
  write_file(folder / "run/cells.jsonl", cells.substr(0, cells.size() / 2));
  std::filesystem::remove(folder / "run/curves.csv");
  const Finished resumed = run_child("stability", {"--resume", out, "--threads", "1"});
  CHECK(resumed.code == 0);
  CHECK(read_file(folder / "run/curves.csv") == curves_before);
  CHECK(read_file(folder / "run/cells.jsonl") == cells);

  const auto refuse = [&](const std::vector<std::string>& arguments, int code, const std::string& part) {
    const Finished refused = run_child("stability", arguments);
    INFO(refused.error);
    CHECK(refused.code == code);
    CHECK(refused.last_error_line().find(part) != std::string::npos);
    CHECK(std::count(refused.error.begin(), refused.error.end(), '\n') == 1);
  };
  refuse(options, 2, "--overwrite");
  refuse({"--resume", out, "--n", "30"}, 2, "--n: a result goes on as it was begun");
  refuse({"--resume", (folder / "none").string()}, 2, "holds no result of stability");
  refuse({"--problem", "logistc"}, 2, "did you mean \"logistic\"?");
  refuse({"--batch", "3"}, 2, "--batch: is 3");
  refuse({"--alpha", "2"}, 2, "--alpha: is 2");
  refuse({"--repetition", "x"}, 2, "there is no option --repetition; did you mean --repetitions?");
}
