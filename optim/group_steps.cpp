// The order of groups in a step, callbacks before syncs, reports. See group_steps.h.
#include <tandem/optim/group_steps.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <tandem/core/error.h>

namespace tandem {

void GroupSteps::watch(bool on, const Schedule* lr) {
  lr_ = lr;
  for (const auto& group : groups_) group->watch(on);
  is_watched_ = on;
}

const StepReport& GroupSteps::last() const {
  if (report_.step == 0) fail("optimizer", "no step was watched", {}, "call watch_steps(true) before step");
  return report_;
}

void GroupSteps::step(std::int64_t& steps, const std::function<void()>* evaluate) {
  struct Abandon {
    const std::vector<std::unique_ptr<BoundGroup>>& groups;
    ~Abandon() {
      for (const auto& group : groups) group->abandon();
    }
  } const abandon{groups_};
  const bool split = on_sync_ || (evaluate != nullptr && groups_.size() > 1);
  for (const auto& group : groups_) group->begin(steps, evaluate, split);
  std::exception_ptr failure;
  if (split) {
    std::vector<int> stops(groups_.size());
    do {
      for (std::size_t i = 0; i < groups_.size(); ++i) stops[i] = groups_[i]->run();
      if (on_sync_ && !failure) failure = tell(stops, steps + 1);
    } while (std::any_of(stops.begin(), stops.end(), [](int loop) { return loop >= 0; }));
  } else {
    for (const auto& group : groups_) group->run();
  }
  for (const auto& group : groups_) group->end();
  ++steps;
  if (is_watched_) write_report(steps);
  if (failure) std::rethrow_exception(failure);
}

/// Calls on_sync for the loops at which groups have stopped, the innermost first; what it throws.
std::exception_ptr GroupSteps::tell(const std::vector<int>& stops, std::int64_t step) {
  std::map<int, SyncEvent, std::greater<>> events;
  for (std::size_t i = 0; i < stops.size(); ++i) {
    if (stops[i] < 0) continue;
    const auto level = static_cast<std::size_t>(stops[i]);
    SyncEvent& event = events[stops[i]];
    if (event.groups.empty()) event = {step, level, groups_[i]->loops()[level], {}};
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

void GroupSteps::write_report(std::int64_t step) {
  report_ = {.step = step, .levels = std::move(report_.levels)};
  Squares gradient, update;
  std::size_t place = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const GroupWatch& watch = groups_[i]->watched();
    for (const Squares& part : watch.gradient) gradient.add(part);
    for (const Squares& part : watch.update) update.add(part);
    const double factor = watch.clip_factor;
    if (std::isnan(factor) || factor < report_.clip_factor) report_.clip_factor = factor;
    for (std::size_t j = 0; j < watch.levels.size(); ++j, ++place) {
      if (place == report_.levels.size()) report_.levels.push_back({groups_[i]->loops()[j], i});
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
