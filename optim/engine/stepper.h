// A step of all groups: each part of it (running.h) for all of them before the next, so that a norm is of all groups
// and the loss is evaluated with all of them where they want to be. Callbacks before syncs, and the report of a watched
// step. Private to optim/ (optimizer.cpp).
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include <tandem/optim/engine/meeting.h>
#include <tandem/optim/step_report.h>

namespace tandem {

class Stepper {
 public:
  explicit Stepper(const std::vector<std::unique_ptr<RunningGroup>>& groups) : groups_(groups) {}

  /// One step, and counts. `evaluate` is null without a closure, whose first loss is `loss`. A closure that throws
  /// changes nothing.
  void step(std::int64_t& steps, const Evaluate* evaluate, double loss);
  /// `lr`: the schedule whose value reports have, which lives as long as the rule; none where there is none.
  void watch(bool on, const Schedule* lr);
  /// A group was added.
  void groups_changed(const Schedule* lr);
  const StepReport& last() const;
  void on_sync(std::function<void(const SyncEvent&)> callback) { on_sync_ = std::move(callback); }
  bool in_callback() const { return in_callback_; }
  std::int64_t copy() const { return meeting_.copy(); }

 private:
  std::exception_ptr tell(std::int64_t step);
  void write_report(std::int64_t step, double loss);

  const std::vector<std::unique_ptr<RunningGroup>>& groups_;
  std::function<void(const SyncEvent&)> on_sync_;
  Meeting meeting_;
  StepReport report_;
  const Schedule* lr_ = nullptr;
  bool is_watched_ = false, in_callback_ = false;
};

}  // namespace tandem
