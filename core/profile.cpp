// The hooks of profile.h: scopes that open and close on a thread. Kernels of a forward wait there until record() says
// which op they were.
#include <tandem/core/profile.h>

#include <algorithm>
#include <array>

#include <tandem/core/profile_session.h>

namespace tandem::profile {

const char* name(Phase phase) {
  constexpr std::array<const char*, kPhases> kNames = {"other",  "loading",    "forward",     "backward",
                                                       "update", "evaluation", "instruments", "saving"};
  return kNames[static_cast<std::size_t>(phase)];
}

namespace detail {

double seconds_now() { return now(session()); }

void begin_kernel(const char* name, const Work& work, DType dtype) {
  Thread& t = thread();
  if (t.depth++ > 0) return;
  Session& s = session();
  t.implementation.clear();
  t.open = {};
  {
    const std::lock_guard lock(s.mutex);
    t.open.kernel = id_of(s, name);
  }
  t.open.phase = t.phase();
  t.open.dtype = dtype;
  t.open.work = work;
  t.open.begin = now(s);
}

void end_kernel() {
  Thread& t = thread();
  if (t.depth == 0 || --t.depth > 0) return;  // 0: it began before this profile
  Session& s = session();
  t.open.end = now(s);
  const std::lock_guard lock(s.mutex);
  t.open.implementation = id_of(s, t.implementation);
  if (!t.ops.empty())
    add_kernel(s, t, t.open, t.ops.back().name, t.ops.back().layer);
  else if (t.is_main())
    t.pending.push_back(t.open);
  else  // a thread may end before its next op
    add_kernel(s, t, t.open, t.open.kernel, t.layer());
}

void label_op(const char* op) {
  Thread& t = thread();
  if (t.ops.empty()) flush(session(), t, op);
}

void enter_layer(std::string_view name) {
  Thread& t = thread();
  Session& s = session();
  flush(s, t, nullptr);
  const double begin = now(s);
  const std::lock_guard lock(s.mutex);
  const std::uint32_t above = t.layer();
  std::uint32_t id = kModel;
  if (!name.empty())
    id = id_of(s, above == kNoName || above == kModel ? std::string(name) : s.names[above] + "." + std::string(name));
  else if (above != kNoName)
    id = above;
  t.layers.push_back({id, begin});
}

void leave_layer() {
  Thread& t = thread();
  if (t.layers.empty()) return;
  Session& s = session();
  flush(s, t, nullptr);
  const std::lock_guard lock(s.mutex);
  add_event(s, {Event::Kind::layer, t.phase(), t.layer(), t.layer(), kNoName, t.number, t.layers.back().begin, now(s)});
  t.layers.pop_back();
}

void enter_op(const char* op, std::uint32_t layer) {
  Thread& t = thread();
  Session& s = session();
  flush(s, t, nullptr);
  const std::lock_guard lock(s.mutex);
  t.ops.push_back({id_of(s, op), layer < s.names.size() ? layer : kNoName, now(s)});
}

void leave_op() {
  Thread& t = thread();
  if (t.ops.empty()) return;
  Session& s = session();
  const std::lock_guard lock(s.mutex);
  const Thread::Op& op = t.ops.back();
  add_event(s, {Event::Kind::op, t.phase(), op.name, op.layer, kNoName, t.number, op.begin, now(s)});
  t.ops.pop_back();
}

void enter_phase(Phase phase) {
  Thread& t = thread();
  Session& s = session();
  flush(s, t, nullptr);
  account(s, t);
  t.phases.push_back({is_of_its_own(t.phase()) ? t.phase() : phase, now(s)});
}

void leave_phase() {
  Thread& t = thread();
  if (t.phases.size() < 2) return;
  Session& s = session();
  flush(s, t, nullptr);
  account(s, t);
  const Thread::OpenPhase open = t.phases.back();
  t.phases.pop_back();
  const std::lock_guard lock(s.mutex);
  add_event(s, {Event::Kind::phase, open.phase, kNoName, kNoName, kNoName, t.number, open.begin, now(s)});
}

void add_implementation(std::string_view name) {
  Thread& t = thread();
  if (t.depth == 0 || name.empty()) return;
  std::string& all = t.implementation;
  for (std::size_t at = 0; at <= all.size();) {  // each once
    const std::size_t end = std::min(all.find(" + ", at), all.size());
    if (all.compare(at, end - at, name) == 0) return;
    at = end + 3;
  }
  all += all.empty() ? "" : " + ";
  all += name;
}

void count_repack(double seconds) {
  Thread& t = thread();
  if (t.depth == 0) return;
  ++t.open.counts.repacks;
  t.open.counts.repack_seconds += seconds;
}

void count_primitive() {
  Thread& t = thread();
  if (t.depth > 0) ++t.open.counts.primitives;
  const std::lock_guard lock(session().mutex);
  ++session().primitives;
}

void count_allocation(std::size_t) {
  Thread& t = thread();
  if (t.depth > 0) ++t.open.counts.allocations;
  const std::lock_guard lock(session().mutex);
  ++session().allocations;
}

std::uint32_t current_layer() { return thread().layer(); }

}  // namespace detail

}  // namespace tandem::profile
