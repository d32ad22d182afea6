// Schedules: values by hand and PyTorch's, text and back, every error.
#include <cmath>
#include <numbers>

#include "support.h"

using namespace support;

TEST_CASE("a number is a constant schedule") {
  const Schedule lr = 0.1;
  CHECK(lr.is_constant());
  CHECK(lr.at(0) == 0.1);
  CHECK(lr.at(1000) == 0.1);
  CHECK(lr.describe() == "0.1");
  CHECK(schedule::constant().at(7) == 1);
}

TEST_CASE("cosine with warm-up rises in warmup steps and falls to end at total") {
  const Schedule s = 0.1 * schedule::cosine({.total = 20, .warmup = 4});
  CHECK(s.at(0) == doctest::Approx(0.025));
  CHECK(s.at(3) == doctest::Approx(0.1));
  CHECK(s.at(4) == doctest::Approx(0.1));
  CHECK(s.at(12) == doctest::Approx(0.05));
  CHECK(s.at(19) == doctest::Approx(0.1 * 0.5 * (1 + std::cos(std::numbers::pi * 15 / 16))));
  CHECK(s.at(20) == 0);
  CHECK(s.at(99) == 0);
  CHECK(schedule::cosine({.total = 10, .end = 0.2}).at(10) == 0.2);
  // CosineAnnealingLR(T_max=10), lr 1: the values of steps 1 and 5.
  CHECK(schedule::cosine({.total = 10}).at(1) == doctest::Approx(0.9755282581475768));
  CHECK(schedule::cosine({.total = 10}).at(5) == doctest::Approx(0.5));
}

TEST_CASE("linear, step and multistep") {
  const Schedule line = schedule::linear({.total = 10, .warmup = 2, .end = 0.5});
  CHECK(line.at(0) == 0.5);
  CHECK(line.at(1) == 1);
  CHECK(line.at(2) == 1);
  CHECK(line.at(6) == 0.75);
  CHECK(line.at(10) == 0.5);
  const Schedule steps = schedule::step({.every = 3, .by = 0.5});
  CHECK(steps.at(2) == 1);
  CHECK(steps.at(3) == 0.5);
  CHECK(steps.at(8) == 0.25);
  const Schedule multi = schedule::multistep({.at = {3, 6}, .by = 0.2, .warmup = 2});
  CHECK(multi.at(0) == 0.5);
  CHECK(multi.at(2) == 1);
  CHECK(multi.at(3) == 0.2);
  CHECK(multi.at(6) == doctest::Approx(0.04));
}

TEST_CASE("one_cycle is PyTorch's OneCycleLR") {
  // OneCycleLR(max_lr=1, total_steps=10): cosine annealing, pct_start 0.3, div_factor 25, final_div_factor 1e4.
  const Schedule s = schedule::one_cycle({.total = 10});
  const double expected[] = {0.04, 0.52, 1.0, 0.9504844, 0.8117449, 0.6112620, 0.3887420, 0.1882591, 0.0495196, 4e-6};
  for (int t = 0; t < 10; ++t) CHECK(s.at(t) == doctest::Approx(expected[t]).epsilon(1e-6));
  CHECK(s.at(10) == 4e-6);
}

TEST_CASE("polynomial, inverse_sqrt and restarts") {
  const Schedule poly = schedule::polynomial({.total = 12, .warmup = 2, .power = 2, .end = 0.2});
  CHECK(poly.at(0) == 0.5);
  CHECK(poly.at(2) == 1);
  CHECK(poly.at(7) == doctest::Approx(0.2 + 0.8 * 0.25));
  CHECK(poly.at(12) == 0.2);
  CHECK(poly.at(50) == 0.2);

  // Noam: d^-0.5 min(t^-0.5, t w^-1.5) with t = step + 1.
  const double d = 512, w = 4000;
  const Schedule noam = std::pow(d * w, -0.5) * schedule::inverse_sqrt({.warmup = 4000});
  for (const int step : {0, 100, 3998, 3999, 4000, 4001, 99999}) {
    const double t = step + 1;
    CHECK(noam.at(step) == doctest::Approx(std::pow(d, -0.5) * std::min(std::pow(t, -0.5), t * std::pow(w, -1.5))));
  }

  const Schedule sgdr = schedule::restarts({.period = 4, .factor = 2, .end = 0.5});
  // CosineAnnealingWarmRestarts(T_0=4, T_mult=2, eta_min=0.5): periods begin at 0, 4, 12, 28.
  for (const int start : {0, 4, 12, 28}) CHECK(sgdr.at(start) == 1);
  CHECK(sgdr.at(2) == doctest::Approx(0.75));
  CHECK(sgdr.at(8) == doctest::Approx(0.75));
  CHECK(sgdr.at(20) == doctest::Approx(0.75));
  CHECK(sgdr.at(11) == doctest::Approx(0.5 + 0.5 * 0.5 * (1 + std::cos(std::numbers::pi * 7 / 8))));
  const Schedule equal = schedule::restarts({.period = 5, .warmup = 3});
  CHECK(equal.at(1) == doctest::Approx(2.0 / 3));
  for (const int start : {3, 8, 1000003}) CHECK(equal.at(start) == 1);
}

TEST_CASE("piecewise: each part counts from its own start") {
  const Schedule s = schedule::piecewise(
      {schedule::linear({.total = 4, .end = 0.5}), 0.25, schedule::cosine({.total = 10})}, {.at = {4, 6}});
  CHECK(s.at(2) == 0.75);
  CHECK(s.at(3) == 0.625);
  CHECK(s.at(4) == 0.25);
  CHECK(s.at(5) == 0.25);
  CHECK(s.at(6) == 1);
  CHECK(s.at(11) == doctest::Approx(0.5));
  CHECK(s.at(16) == 0);
  CHECK(s.describe() == "piecewise(linear(total=4, end=0.5), 0.25, cosine(total=10), at=4/6)");
  CHECK(message([] {
          schedule::piecewise({1, 2}, {.at = {4, 6}});
        }) == "piecewise: 2 parts for 2 entries of at; one part more than entries");
  CHECK(message([] { schedule::piecewise({1}, {}); }) == "piecewise: at has no entry");
  CHECK(parse_schedule("piecewise(linear, cosine(warmup=0.1), at=0.2)", 100).describe() ==
        "piecewise(linear(total=20), cosine(warmup=8, total=80), at=20)");
}

TEST_CASE("a plateau of no Optimizer is 1") {
  CHECK(schedule::plateau().at(1000) == 1);
  CHECK(schedule::plateau({.warmup = 4}).at(1) == 0.5);
}

TEST_CASE("schedules multiply") {
  const Schedule s = 0.5 * schedule::cosine({.total = 10}) * schedule::step({.every = 5});
  CHECK(s.at(5) == doctest::Approx(0.5 * 0.5 * 0.1));
  CHECK(s.describe() == "0.5 * cosine(total=10) * step(every=5)");
}

TEST_CASE("text and back") {
  for (const char* text :
       {"0.1",
        "1e-05",
        "0.1 * cosine(warmup=98, total=1955)",
        "cosine(total=100)",
        "cosine(total=100, end=0.01)",
        "linear(warmup=5, total=100, end=0.5)",
        "step(every=30)",
        "step(every=30, by=0.5, warmup=3)",
        "multistep(at=60/120/160, by=0.2)",
        "one_cycle(warmup=30, total=100)",
        "constant",
        "constant(warmup=10)",
        "0.5 * cosine(total=10) * step(every=5)",
        "polynomial(warmup=5, total=100, power=2, end=0.1)",
        "inverse_sqrt(warmup=4000)",
        "restarts(period=10)",
        "restarts(warmup=5, period=10, factor=2, end=0.01)",
        "plateau",
        "0.1 * plateau(by=0.5, patience=3, threshold=0.01, cooldown=2, end=0.001, maximize=1)",
        "2 * piecewise(constant(warmup=10), 0.5 * cosine(total=90), piecewise(1, 2, at=5), at=10/100)"}) {
    CHECK(parse_schedule(text).describe() == text);
  }
  CHECK(parse_schedule("2 * 0.25 * constant").describe() == "0.5 * constant");
  CHECK(parse_schedule(" 5e-4 ").at(0) == 5e-4);
  CHECK(parse_schedule("-1").at(0) == -1);
}

TEST_CASE("fractions become steps") {
  CHECK(parse_schedule("cosine(warmup=0.1)", 1955).describe() == "cosine(warmup=196, total=1955)");
  CHECK(parse_schedule("cosine(warmup=0.05, total=1955)").describe() == "cosine(warmup=98, total=1955)");
  CHECK(parse_schedule("multistep(at=0.3/0.6/0.8, by=0.2)", 200).describe() == "multistep(at=60/120/160, by=0.2)");
  CHECK(parse_schedule("one_cycle", 100).describe() == "one_cycle(warmup=30, total=100)");
  CHECK(parse_schedule("cosine(total=0.5)", 100).describe() == "cosine(total=50)");
  CHECK(parse_schedule("cosine(warmup=0.1)", 1).describe() == "cosine(total=1)");
  CHECK(parse_schedule("step(every=0.01)", 10).describe() == "step(every=1)");
}

TEST_CASE("a function of one's own") {
  const auto root = [](std::int64_t t) { return 1 / std::sqrt(1.0 + static_cast<double>(t)); };
  CHECK(schedule::custom("root", root).at(3) == 0.5);
  CHECK(schedule::custom("root", root).describe() == "custom(root)");
  CHECK(message([] { parse_schedule("custom(root)"); }) ==
        "schedule: custom schedule \"root\" is not registered at column 8: in \"custom(root)\"; "
        "call schedule::register_custom first");
  schedule::register_custom("root", root);
  CHECK(parse_schedule("0.5 * custom(root)").at(3) == 0.25);
  CHECK(message([] { parse_schedule("custom(rot)"); }) ==
        "schedule: unknown custom schedule \"rot\" at column 8: in \"custom(rot)\"; did you mean \"root\"?");
}

TEST_CASE("every error says where and what was meant") {
  const auto error = [](const char* text) { return message([&] { parse_schedule(text); }); };
  CHECK(error("") == "schedule: the text is empty at column 1: in \"\"; e.g. \"momentum(lr=0.1)\"");
  CHECK(error("cosin(total=5)") ==
        "schedule: unknown schedule \"cosin\" at column 1: in \"cosin(total=5)\"; did you mean \"cosine\"?");
  CHECK(error("cosine(totl=5)") ==
        "schedule: unknown argument \"totl\" of cosine at column 8: in \"cosine(totl=5)\"; did you mean \"total\"?");
  CHECK(error("cosine") == "schedule: cosine needs total at column 1: in \"cosine\"; e.g. cosine(total=100)");
  CHECK(error("step(every=0.1)") ==
        "schedule: every is 0.1, must be a whole number of steps at column 1: in \"step(every=0.1)\"; "
        "fractions need a total");
  CHECK(error("cosine(total=5, total=6)") ==
        "schedule: argument \"total\" of cosine is given twice at column 17: in \"cosine(total=5, total=6)\"");
  CHECK(error("cosine(5)") == "schedule: expected an argument like name=value at column 8: in \"cosine(5)\"");
  CHECK(error("cosine(total=a)") == "schedule: total must be a number at column 14: in \"cosine(total=a)\"");
  CHECK(error("cosine(total=5") == "schedule: \")\" is missing for the \"(\" at column 7: in \"cosine(total=5\"");
  CHECK(error("0.1 0.2") == "schedule: unexpected \"0\" after the end at column 5: in \"0.1 0.2\"");
  CHECK(error("1.2.3") == "schedule: \"1.2.3\" is not a number at column 1: in \"1.2.3\"");
  CHECK(error("1/2") == "schedule: expected one number, found a list at column 1: in \"1/2\"");
  CHECK(error("cosine(total=2.5)") == "cosine: total is 2.5, must be a whole number of steps");
  CHECK(error("constant(warmup=-1)") == "constant: warmup is -1, must be at least 0");
  CHECK(error("cosine(total=0)") == "cosine: total is 0, must be at least 1");
  CHECK(error("cosine(warmup=9, total=5)") == "cosine: warmup is 9, must be at most total, 5");
  CHECK(error("multistep(at=5/3)") == "multistep: at is 3, must be above the entry before it");
  CHECK(error("restarts(period=5, factor=0.5)") == "restarts: factor is 0.5, must be at least 1");
  CHECK(error("plateau(patience=1.5)") == "plateau: patience is 1.5, must be a whole number");
  CHECK(error("inverse_sqrt").find("schedule: inverse_sqrt needs warmup at column 1") == 0);
  CHECK(error("piecewise(1, 2)").find("schedule: piecewise needs at at column 1") == 0);
  CHECK(error("step(every=5, by=-1)") == "step: by is -1, must be at least 0");
  CHECK(message([] { schedule::cosine({}); }) == "cosine: total is 0, must be at least 1");
}

TEST_CASE("curves end at `end` exactly, one_cycle reaches 1 also without a fall, fractions are of the curve's total") {
  CHECK(schedule::linear({.total = 10, .end = 0.1}).at(10) == 0.1);
  CHECK(schedule::linear({.total = 10, .end = 0.1}).at(11) == 0.1);
  CHECK(schedule::polynomial({.total = 10, .power = 0, .end = 0.1}).at(9) == 1);
  CHECK(schedule::polynomial({.total = 10, .power = 0, .end = 0.1}).at(10) == 0.1);
  CHECK(schedule::one_cycle({.total = 10, .warmup = 10}).at(9) == 1);  // PyTorch with pct_start = 1
  CHECK(schedule::one_cycle({.total = 10, .warmup = 10}).at(8) < 1);
  CHECK(parse_schedule("cosine(warmup=0.1, total=0.5)", 100).describe() == "cosine(warmup=5, total=50)");
  CHECK(parse_schedule("cosine(warmup=0.1, total=50)", 100).describe() == "cosine(warmup=5, total=50)");
}
