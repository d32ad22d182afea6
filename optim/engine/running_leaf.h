// A leaf at work: its formula as a vectorised, threaded pass over the arena, with named state. How to write one:
// leaf.h.
//
// A parameter counts its own updates: one whose first gradient comes late has the coefficients of a first step. Where
// all parameters have had all gradients, a step has one set of coefficients and passes over runs of parameters.
#pragma once

#include <cstring>
#include <span>

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/running.h>
#include <tandem/optim/engine/watch.h>

namespace tandem {

namespace detail {

template <class Options>
concept HasNoBiasDecay = requires(Options o) {
  o.no_bias_decay;
  o.weight_decay;
};

}  // namespace detail

template <class Formula, class T>
class RunningLeaf : public Running<T> {
 public:
  using Options = typename Formula::Options;
  static constexpr std::size_t kStates = Formula::kState.size();

  RunningLeaf(Options& options, const Frame& frame)
      : options_(options), frame_(frame), formula_(options, {}), exempt_(formula_), missed_(frame.tensors.size()) {
    for (std::size_t i = 0; i < kStates; ++i) state_[i] = std::make_unique<Numbers<T>>(frame);
  }

  void begin(std::int64_t index) override {
    make({index, ++count_}, formula_, exempt_);
    late_.clear();
    for (std::size_t t = 0; t < missed_.size(); ++t) {
      if (frame_.has_gradient[t] == 0) {
        ++missed_[t];
      } else if (missed_[t] > 0 && find_late(missed_[t]) == nullptr) {
        late_.push_back({missed_[t], formula_, formula_});
        make({index, std::max<std::int64_t>(1, count_ - missed_[t])}, late_.back().formula, late_.back().exempt);
      }
    }
  }

  void update(const Block<T>& block) override {
    if (!late_.empty() || is_watched()) {
      for_tensors(*block.runs, block.begin, block.end,
                  [&](std::size_t t, std::int64_t begin, std::int64_t end) { pass(formula_of(t), block, begin, end); });
      return;
    }
    for_runs(*block.runs, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool is_decayed) {
      pass(formula(is_decayed), block, begin, end);
    });
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    for (const auto& state : state_) std::fill(state->at(begin), state->at(end), T(0));
  }
  void restart_count() override {
    count_ = 0;
    std::fill(missed_.begin(), missed_.end(), 0);
  }
  void anchor(const T*, std::int64_t, std::int64_t) override {}
  void restart_cycles() override {}

  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    for (std::size_t i = 0; i < kStates; ++i) {
      const State& s = Formula::kState[i];
      if (s.role == Role::first_moment) moments.push_back({path + s.name, state_[i]->at(0)});
    }
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    for (std::size_t i = 0; i < kStates; ++i) visitor.buffer(path + Formula::kState[i].name, *state_[i]);
    visitor.counter(path + "step", count_);
    visitor.counters(path + "missed", missed_);
  }

 protected:
  /// The coefficients of this step for parameter t of the frame: of its own step count.
  const Formula& formula_of(std::size_t t) const {
    const Late* const late = late_.empty() ? nullptr : find_late(missed_[t]);
    if (late == nullptr) return formula(frame_.tensors[t].is_decayed);
    return frame_.tensors[t].is_decayed ? late->formula : late->exempt;
  }
  /// The coefficients of this step, for parameters with and without weight decay.
  const Formula& formula(bool is_decayed) const { return is_decayed ? formula_ : exempt_; }
  std::array<T*, kStates + 1> state_at(std::int64_t begin) const {
    std::array<T*, kStates + 1> state{};
    for (std::size_t i = 0; i < kStates; ++i) state[i] = state_[i]->at(begin);
    return state;
  }
  const Options& options() const { return options_; }
  Numbers<T>& numbers(std::size_t state) { return *state_[state]; }
  const Frame& frame() const { return frame_; }

  /// The formula on elements [begin, end) inside the block, measured where that is wanted.
  void pass(const Formula& formula, const Block<T>& block, std::int64_t begin, std::int64_t end) {
    T* const w = block.weight + (begin - block.begin);
    const T* const g = block.gradient + (begin - block.begin);
    if (std::is_same_v<T, Traced> || !is_watched()) {
      return detail::formula_pass<T>(formula, w, g, state_at(begin).data(), end - begin);
    }
    const std::size_t b = detail::block_number(block.begin);
    GroupWatch& watch = *frame_.watch;
    if constexpr (!std::is_same_v<T, Traced>) {
      detail::watched_pass<T>(formula, w, g, state_at(begin).data(), end - begin,
                              watch.leaf_sees_gradient ? &watch.gradient[b] : nullptr,
                              watch.leaf_is_update ? &watch.update[b] : nullptr);
    }
  }

  /// f(t, begin, end) on the parameters inside [begin, end) that runs cover.
  template <class F>
  void for_tensors(const std::vector<Interval>& runs, std::int64_t begin, std::int64_t end, F&& f) const {
    for_runs(runs, begin, end, [&](std::int64_t from, std::int64_t to, bool) {
      const std::vector<Interval>& tensors = frame_.tensors;
      auto tensor = std::lower_bound(tensors.begin(), tensors.end(), from,
                                     [](const Interval& r, std::int64_t element) { return r.end <= element; });
      for (; tensor != tensors.end() && tensor->begin < to; ++tensor) {
        f(static_cast<std::size_t>(tensor - tensors.begin()), std::max(from, tensor->begin), std::min(to, tensor->end));
      }
    });
  }

 private:
  /// The coefficients for parameters that have missed as many updates.
  struct Late {
    std::int64_t missed;
    Formula formula, exempt;
  };
  const Late* find_late(std::int64_t missed) const {
    for (const Late& late : late_) {
      if (late.missed == missed) return &late;
    }
    return nullptr;
  }
  bool is_watched() const {
    return frame_.watch != nullptr && (frame_.watch->leaf_sees_gradient || frame_.watch->leaf_is_update);
  }

  void make(const Step& step, Formula& decayed, Formula& exempt) {
    decayed = Formula(options_, step);
    exempt = decayed;
    if constexpr (detail::HasNoBiasDecay<Options>) {
      if (!options_.no_bias_decay) return;
      std::swap(options_.weight_decay, no_decay_);  // the same coefficients but one, without copying schedules
      exempt = Formula(options_, step);
      std::swap(options_.weight_decay, no_decay_);
    }
  }

  Options& options_;
  const Frame& frame_;
  Schedule no_decay_ = 0;
  Formula formula_, exempt_;
  std::vector<Late> late_;  // in this step
  std::array<std::unique_ptr<Numbers<T>>, kStates> state_;
  std::int64_t count_ = 0;            // updates since the state was fresh
  std::vector<std::int64_t> missed_;  // and those that a parameter had no gradient in
};

}  // namespace tandem
