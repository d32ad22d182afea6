// RankTrace: when rank 0 computes and when it sums, as a trace that chrome://tracing and Perfetto show: a row of steps
// and their last backward, a row of sums over ranks. What of a sum lies below a backward costs nothing.
//
//   TANDEM_WORKERS_TRACE=trace.json mpirun -n 4 build/bin/cifar ...
//
// Not here: the same as numbers, bytes and waiting in steps.csv (record.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <tandem/core/workers/workers.h>

namespace tandem::train {

class RankTrace {
 public:
  using Clock = Workers::Clock;

  /// Null: nobody asked, or this is not rank 0, or there is one rank.
  static std::unique_ptr<RankTrace> of_this_process(const std::shared_ptr<Workers>& workers);
  ~RankTrace();
  RankTrace(const RankTrace&) = delete;
  RankTrace& operator=(const RankTrace&) = delete;

  void step(std::int64_t number, Clock::time_point begin, Clock::time_point backward_begin,
            Clock::time_point backward_end);

 private:
  RankTrace(std::filesystem::path path, std::shared_ptr<Workers> workers);
  void add(const std::string& name, int row, Clock::time_point begin, Clock::time_point end, std::int64_t bytes);

  const std::filesystem::path path_;
  const std::shared_ptr<Workers> workers_;
  const Clock::time_point origin_ = Clock::now();
  std::string events_;
};

}  // namespace tandem::train
