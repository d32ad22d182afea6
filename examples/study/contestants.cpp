// The rules that take part. See contestants.h.
#include "contestants.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem::study {
namespace {

constexpr const char* kInner = "momentum(lr=0.1, momentum=0.9)";

struct Known {
  const char* name;
  const char* spec;  // {}: kInner
};

/// What the name alone does not make, or not for models with biases.
constexpr Known kKnown[] = {
    {"momentum", "{}"},
    {"qhm", "qhm(lr=0.1, momentum=0.9)"},
    {"muon", "groups(matrices: muon(); *: adamw())"},
    {"accumulate", "accumulate({}, n=2)"},
    {"agc", "agc({}, clip=0.05)"},
    {"apply_if_finite", "apply_if_finite({}, max_consecutive=3)"},
    {"cautious", "cautious({})"},
    {"centralize", "centralize({})"},
    {"clip_norm", "clip_norm({}, max=1)"},
    {"clip_update", "clip_update({}, max=0.01)"},
    {"clip_value", "clip_value({}, max=0.1)"},
    {"ema", "ema({}, decay=0.95)"},
    {"lookahead", "lookahead({}, k=5, alpha=0.5)"},
    {"lookaround", "lookaround({}, copies=2, k=5)"},
    {"noise", "noise({}, eta=0.01)"},
    {"outer_loop", "outer_loop({}, momentum(lr=0.7, momentum=0.9, nesterov), k=5)"},
    {"polyak", "polyak({})"},
    {"project_box", "project_box({}, max=1)"},
    {"project_norm", "project_norm({}, max=10)"},
    {"sam", "sam({}, rho=0.05)"},
    {"schedule_free", "schedule_free(sgd(lr=1), beta=0.9)"},
    {"swa", "swa({}, from=50, every=5)"},
};

/// Beside the registered names: the controls that a comparison with Lookahead needs, and Adam inside it.
constexpr Known kFurther[] = {
    {"momentum_half", "momentum(lr=0.05, momentum=0.9)"},
    {"lookahead_adam", "lookahead(adam(lr=0.001), k=5, alpha=0.5)"},
    {"adam_half", "adam(lr=0.0005)"},
};

std::string spec_of(const Known& known) { return fmt::format(fmt::runtime(known.spec), kInner); }

/// An average over the steps itself wants a constant rate.
const char* schedule_of(const std::string& name) { return name == "schedule_free" ? "constant" : kSchedule; }

}  // namespace

std::vector<Contestant> registered_contestants(std::vector<std::string>& left_out) {
  std::vector<Contestant> all;
  for (const std::string& name : rule_names()) {
    const auto* const known =
        std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return name == k.name; });
    const std::string spec = known == std::end(kKnown) ? name + "()" : spec_of(*known);
    try {
      all.push_back({name, parse_rule(spec, 100).describe(), schedule_of(name)});
    } catch (const Error& error) {
      left_out.push_back(fmt::format("{}: {}", name, error.what()));
    }
  }
  for (const Known& known : kFurther) all.push_back({known.name, spec_of(known), kSchedule});
  return all;
}

Contestant own_contestant(const std::string& text) {
  const std::size_t at = text.find('=');
  const std::string name = text.substr(0, at);
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  if (at == std::string::npos || !is_name) {
    fail_usage("--rule", fmt::format("is \"{}\", must be NAME=SPEC", text), {},
               "e.g. --rule \"mine=lookahead(adam(lr=1e-3), k=10, alpha=0.5)\"");
  }
  return {name, parse_rule(text.substr(at + 1), 100).describe(), kSchedule};
}

Rule rule_of(const Contestant& contestant, double factor, std::int64_t steps) {
  return with_schedule(parse_rule(contestant.spec, steps), factor * parse_schedule(contestant.schedule, steps));
}

}  // namespace tandem::study
