// The order of a step. See stepper.h.
#include <tandem/optim/engine/stepper.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <tandem/core/error.h>
#include <tandem/core/profile.h>

namespace tandem {
namespace {

/// What a step changes, to be put back when the closure throws: counters always; weights and buffers where the loss is
/// evaluated after they have moved.
class Undo {
 public:
  explicit Undo(const std::vector<std::unique_ptr<RunningGroup>>& groups) : groups_(groups) {
    for (const auto& group : groups_) {
      for (const StateEntry& entry : group->state("")) {
        if (entry.counter != nullptr) counters_.push_back({entry.counter, *entry.counter});
        if (entry.counters != nullptr) lists_.push_back({entry.counters, *entry.counters});
        if (entry.buffer != nullptr) arrays_.push_back({*entry.buffer, {}});
        if (entry.array.defined()) arrays_.push_back({entry.array, entry.array.clone()});
      }
      arrays_.push_back({group->arena.weights_array(), {}});
    }
  }
  /// Before weights move.
  void keep_arrays() {
    for (auto& [array, copy] : arrays_) {
      if (!copy.defined()) copy = array.clone();
    }
  }
  void put_back() {
    for (const auto& [counter, value] : counters_) *counter = value;
    for (const auto& [list, values] : lists_) *list = values;
    for (auto& [array, copy] : arrays_) {
      if (copy.defined()) array.copy_from(copy);
    }
    for (const auto& group : groups_) {
      group->arena.mark_changed(true);
      group->arena.split_syncs(false);
    }
  }

 private:
  const std::vector<std::unique_ptr<RunningGroup>>& groups_;
  std::vector<std::pair<std::int64_t*, std::int64_t>> counters_;
  std::vector<std::pair<std::vector<std::int64_t>*, std::vector<std::int64_t>>> lists_;
  std::vector<std::pair<Array, Array>> arrays_;
};

/// Of one pass: weights and state read and written, gradients read; slow weights, which wait for a sync, are left out.
profile::Work work_of(const std::vector<std::unique_ptr<RunningGroup>>& groups) {
  double bytes = 0;
  for (const auto& group : groups) {
    bytes += 3 * profile::bytes(group->arena.weights_array());
    for (const StateEntry& entry : group->state("")) {
      if (entry.path.find("slow") != std::string::npos) continue;
      bytes += 2 * profile::bytes(entry.array);
      if (entry.buffer != nullptr) bytes += 2 * profile::bytes(*entry.buffer);
    }
  }
  return {0, bytes};
}

}  // namespace

void Stepper::watch(bool on, const Schedule* lr) {
  lr_ = lr;
  for (const auto& group : groups_) group->watch(on);
  is_watched_ = on;
}

void Stepper::groups_changed(const Schedule* lr) {
  report_.levels.clear();
  if (is_watched_) watch(true, lr);
}

const StepReport& Stepper::last() const {
  if (report_.step == 0) fail("optimizer", "no step was watched", {}, "call watch_steps(true) before step");
  return report_;
}

void Stepper::step(std::int64_t& steps, const Evaluate* evaluate, double loss) {
  const auto any_waits = [&] {
    return std::any_of(groups_.begin(), groups_.end(), [](const auto& group) { return group->waits(); });
  };
  std::unique_ptr<Undo> undo = evaluate != nullptr ? std::make_unique<Undo>(groups_) : nullptr;
  std::exception_ptr failure;
  try {
    {
      const profile::KernelScope profiled("begin of a step", DType::f32, [] { return profile::Work{}; });
      for (const auto& group : groups_) group->begin(steps, on_sync_ != nullptr, evaluate != nullptr);
    }
    // Weights have moved before the loss is evaluated late; state that one group's look moves, before another asks.
    const bool is_late = std::any_of(groups_.begin(), groups_.end(), [&](const auto& g) {
      return g->evaluates_late() || (groups_.size() > 1 && g->needs_closure());
    });
    if (undo && is_late) undo->keep_arrays();
    meeting_.run(groups_, evaluate, loss);
    {
      const profile::KernelScope profiled("update", groups_.front()->arena.frame().dtype,
                                          [&] { return work_of(groups_); });
      for (const auto& group : groups_) group->update();
    }
    while (any_waits()) {
      if (on_sync_ && !failure) failure = tell(steps + 1);
      meeting_.run(groups_, evaluate, loss);
      for (const auto& group : groups_) {
        if (group->waits()) group->resume();
      }
    }
  } catch (...) {
    if (undo) undo->put_back();
    throw;
  }
  for (const auto& group : groups_) group->end();
  ++steps;
  if (is_watched_) write_report(steps, loss);
  if (failure) std::rethrow_exception(failure);
}

/// Calls on_sync for the loops that are about to sync, the innermost first; what it throws.
std::exception_ptr Stepper::tell(std::int64_t step) {
  std::map<int, SyncEvent, std::greater<>> events;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const int loop = groups_[i]->next_sync();
    if (loop < 0) continue;
    const auto level = static_cast<std::size_t>(loop);
    SyncEvent& event = events[loop];
    if (event.groups.empty()) event = {step, level, groups_[i]->loops()[level].name, {}};
    event.groups.push_back(i);
  }
  if (events.empty()) return nullptr;
  for (const auto& group : groups_) {
    group->arena.mark_changed(true);  // packed copies of weights are old
    group->arena.lock("an on_sync callback runs");
  }
  in_callback_ = true;
  std::exception_ptr failure;
  try {
    for (const auto& [level, event] : events) on_sync_(event);
    for (const auto& group : groups_) {
      if (group->arena.is_changed()) fail("optimizer", "an on_sync callback changed a parameter");
    }
  } catch (...) {
    failure = std::current_exception();
  }
  in_callback_ = false;
  for (const auto& group : groups_) group->arena.lock(nullptr);
  return failure;
}

void Stepper::write_report(std::int64_t step, double loss) {
  report_ = {.step = step, .loss = loss, .levels = std::move(report_.levels)};
  Squares gradient, update;
  std::size_t place = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const GroupWatch& watch = groups_[i]->watched();
    for (const Squares& part : watch.gradient) gradient.add(part);
    for (const Squares& part : watch.update) update.add(part);
    const double factor = watch.clip_factor;
    if (std::isnan(factor) || factor < report_.clip_factor) report_.clip_factor = factor;
    for (std::size_t j = 0; j < watch.levels.size(); ++j, ++place) {
      if (place == report_.levels.size()) report_.levels.push_back({groups_[i]->loops()[j].name, i});
      LevelReport& level = report_.levels[place];
      level.synced = watch.levels[j].synced;
      level.alpha = watch.levels[j].alpha;
      level.distance = norm(watch.levels[j].distance);
    }
  }
  report_.lr = lr_ != nullptr ? lr_->at(step - 1) : std::numeric_limits<double>::quiet_NaN();
  report_.gradient_norm = gradient.norm();
  report_.update_norm = update.norm();
}

}  // namespace tandem
