// Workers: the processes that train one model together, as one of them sees it. It sums numbers over all of them and
// passes on bytes; what is summed is decided elsewhere (optim/engine/gradient_mean.h, optim/engine/worker_mean.h).
// Every worker makes the same calls in the same order: those of a channel meet in the order in which they are begun.
// Not here: how they find each other (open_workers.h). A process alone is one worker, and every sum is its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tandem/core/dtype.h>
#include <tandem/core/error.h>
#include <tandem/core/workers/part.h>

namespace tandem {

/// What one worker has handed to the others since the beginning, and how long it has waited for them.
struct Traffic {
  std::int64_t sums = 0;   ///< all-reduces
  std::int64_t bytes = 0;  ///< of what was summed, each number once, whatever way it takes through the network
  double waited = 0;       ///< seconds in wait()
};

/// Another worker has ended, so that no sum comes to its end.
class WorkerLost : public Error {
 public:
  WorkerLost(int rank, std::string message) : Error(std::move(message)), rank_(rank) {}
  /// Which one; -1 where only the way there is known to be broken.
  int rank() const { return rank_; }

 private:
  int rank_;
};

class Workers {
 public:
  /// pieces: what goes on beside computing. words: what somebody waits for at once.
  enum class Channel { pieces, words };
  using Clock = std::chrono::steady_clock;

  /// One sum, from its beginning to when its result was there.
  struct Event {
    Clock::time_point begin, end;
    std::int64_t bytes = 0;
  };

  virtual ~Workers() = default;
  int rank() const { return part_.index; }
  int size() const { return part_.count; }
  /// This worker's part of what all of them divide.
  Part part() const { return part_; }

  /// Begins x[i] <- sum of x[i] over all workers, f32, f64 or i64, the same bits on each. Nobody may touch x before
  /// wait() with what begin_sum() returns, which throws WorkerLost when another one has ended.
  virtual std::uint64_t begin_sum(void* x, std::int64_t count, DType dtype, Channel channel) = 0;
  virtual void wait(std::uint64_t sum) = 0;
  /// `bytes` bytes of worker `from`, to all.
  virtual void broadcast(void* data, std::int64_t bytes, int from) = 0;
  /// From `from` to `to`; all others return at once.
  virtual void pass(void* data, std::int64_t bytes, int from, int to) = 0;

  void sum(double* x, std::int64_t count) { wait(begin_sum(x, count, DType::f64, Channel::words)); }
  /// A number of each worker, by rank.
  std::vector<std::int64_t> gather(std::int64_t number);
  /// The text of worker `from`.
  std::string broadcast(const std::string& text, int from = 0);
  /// Throws Error on every worker, naming the first whose text is another than that of worker 0:
  /// "workers: rank 2 has another WHAT than rank 0: ITS TEXT, not THAT OF RANK 0; REMEDY".
  void require_same(const std::string& what, const std::string& text, const std::string& remedy);

  const Traffic& traffic() const { return traffic_; }
  /// Keeps the Event of every sum from now on, or ends it.
  virtual void record_events(bool on) { (void)on; }
  virtual std::vector<Event> take_events() { return {}; }
  /// Ends without the others, who may never come: for a worker that has failed. Nothing is written by them any more.
  virtual void give_up() {}

 protected:
  explicit Workers(Part part) : part_(part) {}
  Traffic traffic_;

 private:
  const Part part_;
};

/// A process alone.
std::shared_ptr<Workers> one_worker();

}  // namespace tandem
