// Taking a profile: begun, ended, and what it found. One at a time in a process; the hooks that fill it: profile.h.
// Times are wall-clock seconds. The first kWarmUpSteps steps make primitives and buffers: what they cost is dropped
// when they are over. Not here: tables, sentences and files (examples/train/profile_log.h, examples/report/profile.h).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tandem/core/processors.h>
#include <tandem/core/profile.h>

namespace tandem::profile {

inline constexpr std::int64_t kWarmUpSteps = 2;

/// All calls of one kernel for one op of one layer in one phase, by who computed them.
struct Row {
  Phase phase = Phase::other;
  std::string layer = {};           ///< "layer1.0.conv1"; empty outside of layers
  std::string op = {};              ///< as recorded; the kernel's own name where no op was
  std::string kernel = {};          ///< "conv2d_weight_grad"
  std::string implementation = {};  ///< "winograd", "brgconv:avx512_core"; empty: the only one that the kernel has
  DType dtype = DType::f32;
  bool is_elsewhere = false;  ///< on another thread than that which began the profile: beside its time, not in it
  std::int64_t calls = 0;
  double seconds = 0, operations = 0, bytes = 0;  ///< of all calls
  std::int64_t repacks = 0, primitives = 0, allocations = 0;
  double repack_seconds = 0;
};

struct PhaseTime {
  double wall = 0;     ///< of the thread that began the profile
  double cpu = 0;      ///< of all threads of the process
  double kernels = 0;  ///< wall time inside kernels
};

/// A span for a trace: a phase, a step, a layer, an op or a kernel. Seconds since the profile began.
struct Event {
  enum class Kind : std::uint8_t { phase, step, layer, op, kernel };
  Kind kind = Kind::kernel;
  Phase phase = Phase::other;
  std::uint32_t name = 0, layer = 0, implementation = 0;  ///< in Report::names
  std::uint32_t thread = 0;                               ///< 0: that which began the profile
  double begin = 0, end = 0;
};

struct Report {
  std::vector<Row> rows;  ///< the longest first
  std::array<PhaseTime, kPhases> phases{};
  std::int64_t steps = 0;                        ///< that are in the rows
  std::int64_t warm_up_steps = 0;                ///< that are not
  std::int64_t primitives = 0, allocations = 0;  ///< after the warm-up, inside and outside of kernels
  std::int64_t peak_bytes = 0;                   ///< of Arrays and buffers
  int threads = 0;
  Processors processors;
  std::vector<std::string> names;
  std::vector<Event> events;  ///< the first ones; those of the warm-up included
  bool is_trace_cut = false;  ///< there were more events than are kept

  /// Seconds of all phases.
  double wall() const;
};

struct Options {
  std::size_t most_events = 100'000;
};

/// Begins a profile, on this thread. Throws Error when one is taken already.
void start(const Options& options = {});
/// Ends it.
Report stop();
/// What the thread that began the profile does when no scope says it.
void set_phase(Phase phase);
/// A step is over.
void end_step();

}  // namespace tandem::profile
