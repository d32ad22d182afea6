// Who had the processors that this process may run on: itself, other processes, other machines on the same host.
// Times are in processor-seconds, of Linux' counters, whose steps are a hundredth of a second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem {

/// The counters at one time.
struct ProcessorTimes {
  int count = 0;                 ///< processors that this process may run on
  double wall = 0;               ///< seconds of a steady clock
  double own = 0;                ///< this process, all threads
  double busy = 0;               ///< those processors, whoever had them
  double stolen = 0;             ///< wanted by this machine, given to another one on its host
  std::int64_t preemptions = 0;  ///< how often a thread of this process had to give its processor up
};
ProcessorTimes processor_times();

/// Between two times.
struct Processors {
  int count = 0;
  double wall = 0, own = 0;
  double others = 0;  ///< of other processes; 0 at least
  double stolen = 0;
  std::int64_t preemptions = 0;
};
Processors between(const ProcessorTimes& begin, const ProcessorTimes& end);

namespace detail {
/// Of these processors, from the text of /proc/stat; `ticks` of its counters are a second. Nothing where it has no such
/// lines.
struct ProcessorTicks {
  double busy = 0, stolen = 0;
};
ProcessorTicks read_ticks(const std::string& text, const std::vector<int>& processors, double ticks);
}  // namespace detail

}  // namespace tandem
