// Begins and ends a profile. See profile_report.h.
#include <tandem/core/profile_report.h>

#include <algorithm>
#include <tuple>

#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/core/profile_session.h>
#include <tandem/core/threads.h>

namespace tandem::profile {

namespace detail {
std::atomic<bool> on{false};
}

namespace {

/// Forgets what was gathered of the steps: it was the warm-up.
void forget(Session& s) {
  std::erase_if(s.rows, [](const auto& row) { return !is_of_its_own(row.first.phase); });
  for (std::size_t i = 0; i < s.phases.size(); ++i)
    if (!is_of_its_own(static_cast<Phase>(i))) s.phases[i] = {};
  s.primitives = s.allocations = 0;
  s.warm_up_steps = s.steps;
  s.steps = 0;
  s.processors = processor_times();
}

}  // namespace

void start(const Options& options) {
  Session& s = session();
  {
    const std::lock_guard lock(s.mutex);
    if (is_on()) fail("profile", "one is taken already", {}, "stop() it first");
    ++s.number;
    s.begin = std::chrono::steady_clock::now();
    s.options = options;
    s.ids = {{"", kNoName}, {"(model)", kModel}};
    s.names = {"", "(model)"};
    s.rows.clear();
    s.events.clear();
    s.phases = {};
    s.is_cut = false;
    s.threads = 0;
    s.steps = s.warm_up_steps = s.primitives = s.allocations = 0;
    s.processors = processor_times();
  }
  Thread& t = thread();  // the first one: number 0
  t.phase_cpu = cpu_seconds();
  reset_peak_memory();
  detail::on.store(true);
}

void set_phase(Phase phase) {
  if (!is_on()) return;
  Thread& t = thread();
  Session& s = session();
  flush(s, t, nullptr);
  account(s, t);
  t.phases.front().phase = phase;
}

void end_step() {
  if (!is_on()) return;
  Thread& t = thread();
  Session& s = session();
  flush(s, t, nullptr);
  account(s, t);
  const std::lock_guard lock(s.mutex);
  const double time = now(s);
  add_event(s, {Event::Kind::step, t.phase(), kNoName, kNoName, kNoName, t.number, t.step_begin, time});
  t.step_begin = time;
  ++s.steps;
  if (s.warm_up_steps == 0 && s.steps == kWarmUpSteps) forget(s);
}

double Report::wall() const {
  double sum = 0;
  for (const PhaseTime& phase : phases) sum += phase.wall;
  return sum;
}

Report stop() {
  if (!is_on()) fail("profile", "none is taken", {}, "start() one first");
  Session& s = session();
  Thread& t = thread();
  flush(s, t, nullptr);
  account(s, t);
  detail::on.store(false);
  const std::lock_guard lock(s.mutex);
  Report report;
  for (const auto& [key, totals] : s.rows) {
    report.rows.push_back({.phase = key.phase,
                           .layer = s.names[key.layer],
                           .op = s.names[key.op],
                           .kernel = s.names[key.kernel],
                           .implementation = s.names[key.implementation],
                           .dtype = key.dtype,
                           .is_elsewhere = key.is_elsewhere,
                           .calls = totals.calls,
                           .seconds = totals.seconds,
                           .operations = totals.operations,
                           .bytes = totals.bytes,
                           .repacks = totals.repacks,
                           .primitives = totals.primitives,
                           .allocations = totals.allocations,
                           .repack_seconds = totals.repack_seconds});
  }
  std::sort(report.rows.begin(), report.rows.end(), [](const Row& a, const Row& b) {
    return std::tie(b.seconds, a.layer, a.op, a.kernel) < std::tie(a.seconds, b.layer, b.op, b.kernel);
  });
  report.phases = s.phases;
  report.steps = s.steps;
  report.warm_up_steps = s.warm_up_steps;
  report.primitives = s.primitives;
  report.allocations = s.allocations;
  report.peak_bytes = static_cast<std::int64_t>(memory_stats().peak_bytes);
  report.threads = threads();
  report.processors = between(s.processors, processor_times());
  report.names = std::move(s.names);
  report.events = std::move(s.events);
  report.is_trace_cut = s.is_cut;
  s.names.clear();
  s.events.clear();
  ++s.number;
  return report;
}

}  // namespace tandem::profile
