// A step of all groups: their order, the stops before syncs at which on_sync is called, and the report of a watched
// step. Private to optim/ (optimizer.cpp).
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include <tandem/optim/group.h>
#include <tandem/optim/step_report.h>

namespace tandem {

class GroupSteps {
 public:
  explicit GroupSteps(const std::vector<std::unique_ptr<BoundGroup>>& groups) : groups_(groups) {}

  /// The groups' steps, one group after the other, and counts. Where someone may look at the weights before a sync, all
  /// groups get there first; also with a closure, whose gradients of one group depend on the weights of the others.
  void step(std::int64_t& steps, const std::function<void()>* evaluate);
  /// `lr`: the schedule whose value reports have, which lives as long as the rule; none where there is none.
  void watch(bool on, const Schedule* lr);
  const StepReport& last() const;
  void on_sync(std::function<void(const SyncEvent&)> callback) { on_sync_ = std::move(callback); }
  bool in_callback() const { return in_callback_; }

 private:
  std::exception_ptr tell(const std::vector<int>& stops, std::int64_t step);
  void write_report(std::int64_t step);

  const std::vector<std::unique_ptr<BoundGroup>>& groups_;
  std::function<void(const SyncEvent&)> on_sync_;
  StepReport report_;
  const Schedule* lr_ = nullptr;
  bool is_watched_ = false, in_callback_ = false;
};

}  // namespace tandem
