// What the hooks of a profile write into: a stack of scopes a thread, and one table for all, under one lock. Names are
// numbers here. Private to core/profile*.cpp.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <tandem/core/profile_report.h>

namespace tandem::profile {

inline constexpr std::uint32_t kNoName = 0, kModel = 1;  // names[0] is "", names[1] that of a model itself

struct Key {
  std::uint32_t layer, op, kernel, implementation;
  Phase phase;
  DType dtype;
  bool is_elsewhere;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& k) const {
    std::uint64_t h = 0x9e3779b97f4a7c15U;
    const auto last = static_cast<std::uint32_t>(k.phase) * 64U + static_cast<std::uint32_t>(k.dtype) * 2U +
                      static_cast<std::uint32_t>(k.is_elsewhere);
    for (const std::uint32_t v : {k.layer, k.op, k.kernel, k.implementation, last})
      h = (h ^ v) * 0x100000001b3U + (h >> 29U);
    return static_cast<std::size_t>(h);
  }
};

struct Counts {
  std::int64_t repacks = 0, primitives = 0, allocations = 0;
  double repack_seconds = 0;
};

struct Totals : Counts {
  std::int64_t calls = 0;
  double seconds = 0, operations = 0, bytes = 0;
};

/// A kernel that ended.
struct Finished {
  std::uint32_t kernel = kNoName, implementation = kNoName;
  Phase phase = Phase::other;
  DType dtype = DType::f32;
  double begin = 0, end = 0;
  Work work;
  Counts counts;
};

/// All of one profile but what threads hold of their own.
struct Session {
  std::mutex mutex;
  std::uint64_t number = 0;  // of the profile; threads know by it that what they hold is of an older one
  std::chrono::steady_clock::time_point begin;
  std::unordered_map<std::string, std::uint32_t> ids;
  std::vector<std::string> names;
  std::unordered_map<Key, Totals, KeyHash> rows;
  std::array<PhaseTime, kPhases> phases{};
  std::vector<Event> events;
  Options options;
  bool is_cut = false;
  std::uint32_t threads = 0;
  std::int64_t steps = 0, warm_up_steps = 0, primitives = 0, allocations = 0;
  ProcessorTimes processors;
};

/// What one thread is in.
struct Thread {
  struct Layer {
    std::uint32_t name;
    double begin;
  };
  struct Op {
    std::uint32_t name, layer;
    double begin;
  };
  struct OpenPhase {
    Phase phase;
    double begin;
  };

  std::uint64_t session = 0;
  std::uint32_t number = 0;
  int depth = 0;  // of kernels in kernels
  Finished open;
  std::string implementation;
  std::vector<Finished> pending;
  std::vector<Layer> layers;
  std::vector<Op> ops;
  std::vector<OpenPhase> phases;  // the first one is what set_phase says
  double phase_begin = 0, phase_cpu = 0, step_begin = 0;

  bool is_main() const { return number == 0; }
  Phase phase() const { return phases.back().phase; }
  std::uint32_t layer() const { return layers.empty() ? kNoName : layers.back().name; }
};

/// Of the process. Never destroyed: threads may end after it.
Session& session();
/// This thread's, as of the profile that is taken.
Thread& thread();

/// Seconds since the profile began.
double now(const Session& s);
double cpu_seconds();
/// Kernels that wait were those of `op`; null: each of its own.
void flush(Session& s, Thread& t, const char* op);
/// What has passed since the last change belongs to the phase that was.
void account(Session& s, Thread& t);
/// An evaluation, a measurement, a saving: phases that are no part of a step.
bool is_of_its_own(Phase phase);
/// The caller holds the lock.
std::uint32_t id_of(Session& s, std::string_view name);
void add_event(Session& s, const Event& event);
void add_kernel(Session& s, const Thread& t, const Finished& k, std::uint32_t op, std::uint32_t layer);

}  // namespace tandem::profile
