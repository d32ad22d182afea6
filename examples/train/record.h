// RunLogs: what a run writes down as it goes, a line a step and a line an evaluation, and the same for TensorBoard.
//
//   steps.csv    step,loss,lr,gradient_norm,update_norm,distance,alpha,synced     an empty cell was not measured
//                and bytes,waited of rank 0, with several ranks
//   metrics.csv  step,epoch,train_loss,...          a row an evaluation; epoch is a fraction within an epoch
//   inner.csv    step,weights,...                   weights: fast (before the pull) or slow (after it)
//   instruments.jsonl                               with --instruments: instrument_log.h
//   events.out.tfevents.tandem
//
// Lines are kept back and written together; sync() has all on the disk. Not here: how a run ended (manifest.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <tandem/core/io/file.h>

#include "checkpoint.h"
#include "event_file.h"
#include "instrument_log.h"

namespace tandem::train {

/// A line of steps.csv. NaN: not measured, but for the loss, which may be it.
struct StepLine {
  std::int64_t step = 0;
  double loss = 0, lr = 0;
  double gradient_norm, update_norm;  ///< of all parameters together; of the inner rule's update
  double distance;                    ///< |fast - slow| before the pull
  double alpha;                       ///< of the pull, where there was one
  bool synced = false;
  std::int64_t bytes = -1;  ///< that were summed over ranks; -1: there is one
  double waited = 0;        ///< seconds, for the other ranks
};

class RunLogs {
 public:
  /// Logs in `folder`, cut back to `position`. A log that is shorter (the power failed) is gone on with where it ends,
  /// with a warning.
  RunLogs(std::filesystem::path folder, const LogPosition& position);
  ~RunLogs();

  void step(const StepLine& line);
  void evaluation(std::int64_t step, double epoch, const Metrics& metrics);
  void inner(std::int64_t step, const char* weights, const Metrics& metrics);
  void instruments(std::int64_t step, const InstrumentReport& report);
  /// Everything is on the disk, and this long.
  LogPosition sync();

 private:
  class Log;
  std::unique_ptr<Log> reopen(const char* name, std::int64_t keep) const;
  static void line(Log& log, const char* names, const std::string& values, const Metrics& metrics);

  std::filesystem::path folder_;
  std::unique_ptr<Log> steps_, metrics_, inner_, instruments_;
  std::unique_ptr<EventFile> events_;
};

/// OUT/metrics.csv and OUT/steps.csv: those of all runs that have some, each line with its run's name.
void join_logs(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace tandem::train
