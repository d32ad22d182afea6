// Progress: what is seen while training. On a terminal a bar that is drawn over, with loss, metric, examples a second
// and the time left for all runs; everywhere a line an epoch. Quiet: nothing. Not here: the lines before and after.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/report/metrics.h>

namespace tandem::train {

using report::Metrics, report::with_commas;

enum class ProgressStyle { quiet, lines, bar };

/// quiet when asked for, else bar when standard output is a terminal, else lines.
ProgressStyle progress_style(bool is_quiet);

class Progress {
 public:
  /// `total_steps`: of all runs that are not finished, for the time left.
  Progress(ProgressStyle style, std::int64_t total_steps);
  /// Wipes the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done`: steps that were taken before an interruption.
  void start_run(const std::string& name, std::int64_t epochs, std::int64_t steps, std::int64_t done);
  void start_epoch(std::int64_t epoch);
  /// After each training step: the loss so far, over the epoch.
  void step(double loss, double examples_per_second);
  /// After each evaluation. `metric`: the one shown in the bar.
  void end_epoch(const Metrics& metrics, std::string_view metric, double examples_per_second, double seconds);
  /// A line of its own between the others.
  void note(const std::string& line);
  /// Takes the bar away.
  void wipe();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(double loss, double examples_per_second);

  ProgressStyle style_;
  std::int64_t total_steps_, done_steps_ = 0;
  std::string run_, metric_;
  std::int64_t epochs_ = 0, epoch_ = 0, run_steps_ = 0, run_done_ = 0;
  bool is_drawn_ = false;
  Clock::time_point begin_ = Clock::now(), drawn_ = {};
};

/// What the bar says.
struct BarLine {
  std::string run, metric;  ///< names; the metric with its value, or empty
  std::int64_t epoch = 1, epochs = 1, done = 0, steps = 1;
  double loss = 0, examples_per_second = 0, seconds_left = 0;
};
/// One line of at most `width` characters: where it is narrow, first the bar shrinks, then speed, metric and bar go.
std::string bar_line(const BarLine& bar, std::size_t width);

}  // namespace tandem::train
