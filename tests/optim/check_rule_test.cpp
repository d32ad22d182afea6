// check_rule over every rule and composition that Tandem has; and that it finds what is wrong.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "every_rule.h"
#include "support.h"

using namespace support;

namespace {

/// Tandem's own names, before any test registers others.
const std::vector<std::string> kNames = rule_names();

std::vector<std::string> all_rules() {
  std::vector<std::string> all(std::begin(kRules), std::end(kRules));
  all.insert(all.end(), std::begin(kMatrixRules), std::end(kMatrixRules));
  return all;
}

}  // namespace

namespace wrong {

struct Options {
  Schedule lr = 0.1;
  void fields(Fields& f) { f("lr", lr, kNotNegative, kAlways); }
};

/// Moves without a gradient, depends on how often its constructor ran, and says nothing of it.
template <class T>
struct Drift {
  using Options = wrong::Options;
  static constexpr const char* kName = "drift";
  static constexpr auto kState = kNoState;
  static inline int made = 0;
  T lr;
  Drift(const Options& h, Step t) : lr(static_cast<T>(h.lr(t) * ++made)) {}
  void operator()(T& w, T g) const { w -= lr * (g + T(0.1)); }
};

}  // namespace wrong

TEST_CASE("every rule and composition keeps what a rule must keep") {
  for (const std::string& text : all_rules()) {
    const RuleReport report = check_rule(parse_rule(text), {.allocations = allocation_count});
    CHECK_MESSAGE(report.passed(), report.to_string());
    CHECK(report.verdicts.size() == 12);
  }
}

TEST_CASE("every registered rule is checked above") {
  const std::vector<std::string> rules = all_rules();
  for (const std::string& name : kNames) {
    const bool is_checked = std::any_of(rules.begin(), rules.end(), [&](const std::string& text) {
      return (" " + text).find((" " + name) + "(") != std::string::npos ||
             text.find("(" + name + "(") != std::string::npos;
    });
    CHECK_MESSAGE(is_checked, name);
  }
  CHECK(kNames.size() == 55);
}

TEST_CASE("closed forms") {
  const auto follows = [](const Rule& rule, const std::function<double(std::int64_t)>& form) {
    const RuleReport report = check_rule(rule, {.trajectory = form, .start = 2, .gradient = 0.5});
    CHECK_MESSAGE(report.verdicts.front().outcome == Verdict::Outcome::passed, report.to_string());
  };
  follows(sgd({.lr = 0.1}), [](std::int64_t t) { return 2 - 0.05 * static_cast<double>(t); });
  follows(momentum({.lr = 0.1, .momentum = 0.5}), [](std::int64_t t) {
    return 2 - 0.1 * 0.5 * (2 * static_cast<double>(t) - 2 * (1 - std::pow(0.5, static_cast<double>(t))));
  });
  follows(adam({.lr = 0.1, .eps = 0}), [](std::int64_t t) { return 2 - 0.1 * static_cast<double>(t); });
  follows(adagrad({.lr = 0.1, .eps = 0}), [](std::int64_t t) {
    double w = 2;
    for (std::int64_t i = 1; i <= t; ++i) w -= 0.1 / std::sqrt(static_cast<double>(i));
    return w;
  });
  follows(lion({.lr = 0.1}), [](std::int64_t t) { return 2 - 0.1 * static_cast<double>(t); });
  // lars: |w| / |g| = w / 0.5, so that w shrinks by a factor; lamb: the step has the norm of w.
  follows(lars({.lr = 1, .momentum = 0, .trust = 0.01}),
          [](std::int64_t t) { return 2 * std::pow(0.99, static_cast<double>(t)); });
  follows(lamb({.lr = 0.01, .weight_decay = 0}),
          [](std::int64_t t) { return 2 * std::pow(0.99, static_cast<double>(t)); });
}

TEST_CASE("what is wrong is found and said") {
  const RuleReport report =
      check_rule(leaf<wrong::Drift>({.lr = 0.01}), {.trajectory = [](std::int64_t) { return 7.0; }});
  CHECK_FALSE(report.passed());
  const std::string text = report.to_string();
  CHECK(text.find("drift(lr=0.01)\n") == 0);
  for (const char* line : {"  FAILED   trajectory: after step 1 the weight is ", "  FAILED   zero gradient: ",
                           "  passed   gradients: ", "  FAILED   determinism: 12 steps again differ",
                           "  FAILED   state: saved after step 0 and loaded, training goes on differently",
                           "  skipped  text: \"drift\" is not registered"}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line << " in\n" << text);
  }
}
