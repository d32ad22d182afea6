// Cycle: what every loop (lookahead.cpp, outer_loop.cpp) keeps and does at a sync beside the step of the slow weights:
// the counter, the slow weights, and the rule inside, which goes on from there in one of three state modes.
#pragma once

#include <limits>
#include <memory>

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/running.h>
#include <tandem/optim/engine/watch.h>

namespace tandem {

/// A first moment is mixed with its value at the last sync.
template <class T>
struct Interpolate {
  static constexpr const char* kName = "interpolate";
  static constexpr std::array kNames = {"now", "last"};
  static constexpr auto kState = kNoState;
  T alpha, one_minus_alpha;
  void operator()(T& now, T last) const { now = alpha * now + one_minus_alpha * last; }
};

/// After the slow weights' step the fast ones start from them.
template <class T>
struct Land {
  static constexpr const char* kName = "sync";
  static constexpr std::array kNames = {"fast", "slow"};
  static constexpr auto kState = kNoState;
  void operator()(T& fast, T slow) const { fast = slow; }
};

template <class T>
class Cycle {
 public:
  Cycle(const Frame& frame, InnerState state, Running<T>& inner)
      : frame_(frame), state_(state), inner_(inner), slow_(frame) {
    if (state != InnerState::interpolate) return;
    inner.first_moments("inner/", moments_);
    for (std::size_t i = 0; i < moments_.size(); ++i) last_.push_back(std::make_unique<Numbers<T>>(frame));
  }

  /// One more step in a cycle of k; is_sync(): the last.
  void count(std::int64_t k) { is_sync_ = ++counter_ >= k; }
  bool is_sync() const { return is_sync_; }
  std::int64_t counter() const { return counter_; }
  bool is_watched() const { return frame_.watch != nullptr && level_ >= 0; }
  T* slow(std::int64_t begin) const { return slow_.at(begin); }

  /// fast <- slow, and the rule inside starts a cycle from there; `mix` is the factor of interpolation.
  void land(const Block<T>& block, double mix) {
    const std::int64_t begin = block.begin, end = block.end;
    if (fast_) std::copy(block.weight, block.weight + block.size(), fast_->at(begin));
    detail::copy_pass<T>(Land<T>{}, block.weight, slow_.at(begin), block.size());
    if (state_ == InnerState::reset) inner_.clear(begin, end);
    const Interpolate<T> interpolate{static_cast<T>(mix), static_cast<T>(1 - mix)};
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      detail::formula_pass<T>(interpolate, moments_[i].data + begin, last_[i]->at(begin), nullptr, block.size());
    }
    remember(begin, end);
    inner_.anchor(block.weight, begin, end);
  }
  /// After the last sweep of a step.
  void end() {
    if (!is_sync_) return;
    is_sync_ = false;
    counter_ = 0;
    inner_.restart_cycles();
    if (state_ == InnerState::reset) inner_.restart_count();
  }

  void anchor(const T* weight, std::int64_t begin, std::int64_t end) {
    std::copy(weight, weight + (end - begin), slow_.at(begin));
    remember(begin, end);
    inner_.anchor(weight, begin, end);
  }
  void restart() {
    counter_ = 0;
    inner_.restart_cycles();
  }

  void state(const std::string& path, StateVisitor<T>& visitor) {
    visitor.buffer(path + "slow", slow_);
    visitor.counter(path + "counter", counter_);
    for (std::size_t i = 0; i < moments_.size(); ++i) visitor.buffer(path + "last/" + moments_[i].path, *last_[i]);
  }

  void join(Roll<T>& roll, const char* name) {
    level_ = static_cast<int>(roll.loops.size());
    roll.loops.push_back({name, &slow_, &fast_});
  }
  int level() const { return level_; }

  /// Before and after the inner rule moves the block: the outermost loop measures what the rule inside does, where the
  /// leaf does not; every loop, how far it has come from the slow weights.
  void watch_before(const Block<T>& block) {
    if (measures_update()) std::copy(block.weight, block.weight + block.size(), before(block.begin));
  }
  void watch_after(const Block<T>& block) {
    if (!is_watched()) return;
    const std::size_t b = detail::block_number(block.begin);
    const auto distance = [&](const T* other) {
      return detail::squared_distance(frame_, block.begin, block.end, static_cast<const T*>(block.weight), other);
    };
    frame_.watch->levels[static_cast<std::size_t>(level_)].distance[b] = distance(slow_.at(block.begin));
    if (measures_update()) frame_.watch->update[b] = distance(before(block.begin));
  }
  /// `alpha`: of this sync.
  void report(double alpha) const {
    if (!is_watched()) return;
    LevelWatch& level = frame_.watch->levels[static_cast<std::size_t>(level_)];
    level.synced = is_sync_;
    level.alpha = is_sync_ ? alpha : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  /// The block before the inner rule moved it.
  T* before(std::int64_t begin) const {
    if constexpr (std::is_same_v<T, Traced>) {
      return nullptr;  // explanations watch nothing
    } else {
      return frame_.watch->before.template data<T>() + begin;
    }
  }
  bool measures_update() const { return is_watched() && level_ == 0 && !frame_.watch->leaf_is_update; }
  void remember(std::int64_t begin, std::int64_t end) {
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      std::copy(moments_[i].data + begin, moments_[i].data + end, last_[i]->at(begin));
    }
  }

  const Frame& frame_;
  const InnerState state_;
  Running<T>& inner_;
  Numbers<T> slow_;
  std::unique_ptr<Numbers<T>> fast_;               // as it was before the last sync, where somebody wants to know
  std::vector<Moment<T>> moments_;                 // interpolate: the inner rule's, alive
  std::vector<std::unique_ptr<Numbers<T>>> last_;  // and as they were at the last sync
  std::int64_t counter_ = 0;                       // steps since the last sync
  bool is_sync_ = false;
  int level_ = -1;  // among the loops of the rule and its inner rules, from outermost
};

}  // namespace tandem
