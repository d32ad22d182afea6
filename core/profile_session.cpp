// The table of a profile, and what threads put into it. See profile_session.h.
#include <tandem/core/profile_session.h>

#include <ctime>

namespace tandem::profile {

Session& session() {
  static Session& instance = *new Session;
  return instance;
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The caller holds the lock.
std::uint32_t id_of(Session& s, std::string_view name) {
  const auto [found, is_new] = s.ids.try_emplace(std::string(name), static_cast<std::uint32_t>(s.names.size()));
  if (is_new) s.names.emplace_back(name);
  return found->second;
}

void add_event(Session& s, const Event& event) {
  if (s.events.size() < s.options.most_events)
    s.events.push_back(event);
  else
    s.is_cut = true;
}

/// This thread's, as of the profile that is taken.
Thread& thread() {
  thread_local Thread t;
  Session& s = session();
  const std::lock_guard lock(s.mutex);
  if (t.session != s.number) {
    t = Thread{};
    t.session = s.number;
    t.number = s.threads++;
    t.phases.push_back({Phase::other, 0});
  }
  return t;
}

double now(const Session& s) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - s.begin).count();
}

/// The caller holds the lock.
void add_kernel(Session& s, const Thread& t, const Finished& k, std::uint32_t op, std::uint32_t layer) {
  Totals& row = s.rows[{layer, op, k.kernel, k.implementation, k.phase, k.dtype, !t.is_main()}];
  ++row.calls;
  row.seconds += k.end - k.begin;
  row.operations += k.work.operations;
  row.bytes += k.work.bytes;
  row.repacks += k.counts.repacks;
  row.repack_seconds += k.counts.repack_seconds;
  row.primitives += k.counts.primitives;
  row.allocations += k.counts.allocations;
  if (t.is_main()) s.phases[static_cast<std::size_t>(k.phase)].kernels += k.end - k.begin;
  add_event(s, {Event::Kind::kernel, k.phase, k.kernel, layer, k.implementation, t.number, k.begin, k.end});
}

/// Kernels that wait were those of `op`; null: each of its own.
void flush(Session& s, Thread& t, const char* op) {
  if (t.pending.empty()) return;
  const std::lock_guard lock(s.mutex);
  const std::uint32_t name = op == nullptr ? kNoName : id_of(s, op);
  for (const Finished& k : t.pending) add_kernel(s, t, k, op == nullptr ? k.kernel : name, t.layer());
  if (op != nullptr)
    add_event(s, {Event::Kind::op, t.phase(), name, t.layer(), kNoName, t.number, t.pending.front().begin,
                  t.pending.back().end});
  t.pending.clear();
}

/// What has passed since the last change belongs to the phase that was.
void account(Session& s, Thread& t) {
  if (!t.is_main()) return;
  const double time = now(s), cpu = cpu_seconds();
  const std::lock_guard lock(s.mutex);
  PhaseTime& phase = s.phases[static_cast<std::size_t>(t.phase())];
  phase.wall += time - t.phase_begin;
  phase.cpu += cpu - t.phase_cpu;
  t.phase_begin = time;
  t.phase_cpu = cpu;
}

bool is_of_its_own(Phase phase) {
  return phase == Phase::evaluation || phase == Phase::instruments || phase == Phase::saving;
}

}  // namespace tandem::profile
