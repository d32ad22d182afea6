// A leaf at work: its formula as a vectorised, threaded pass over the arena, with named state. How to write one:
// leaf.h.
//
// A parameter counts its own updates: one whose first gradient comes late has the coefficients of a first step. Where
// all parameters have had all gradients, a step has one set of coefficients and passes over runs of parameters.
#pragma once

#include <span>

#include <tandem/optim/engine/leaf_state.h>
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
class RunningLeaf : public LeafState<T> {
 public:
  using Options = typename Formula::Options;
  static constexpr std::size_t kStates = Formula::kState.size();

  RunningLeaf(Options& options, const Frame& frame)
      : LeafState<T>(Formula::kState, frame), options_(options), of_step_{{options, {}}, {options, {}}} {}

  void begin(std::int64_t index) override {
    this->count_update();
    make({index, this->count()}, of_step_);
    late_.clear();
    for (const std::int64_t missed : this->late()) {
      late_.push_back(of_step_);
      make({index, std::max<std::int64_t>(1, this->count() - missed)}, late_.back());
    }
  }

  void update(const Block<T>& block) override {
    if (!late_.empty() || this->is_watched()) {
      for_tensors(*block.runs, block.begin, block.end,
                  [&](std::size_t t, std::int64_t begin, std::int64_t end) { pass(formula_of(t), block, begin, end); });
      return;
    }
    for_runs(*block.runs, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool is_decayed) {
      pass(formula(is_decayed), block, begin, end);
    });
  }

 protected:
  /// The coefficients of this step for parameter t of the frame: of its own step count.
  const Formula& formula_of(std::size_t t) const {
    const int place = late_.empty() ? -1 : this->place_in_late(t);
    const Formulas& formulas = place < 0 ? of_step_ : late_[static_cast<std::size_t>(place)];
    return this->frame().tensors[t].is_decayed ? formulas.decayed : formulas.exempt;
  }
  /// The coefficients of this step, for parameters with and without weight decay.
  const Formula& formula(bool is_decayed) const { return is_decayed ? of_step_.decayed : of_step_.exempt; }
  std::array<T*, kStates + 1> state_at(std::int64_t begin) const {
    std::array<T*, kStates + 1> state{};
    for (std::size_t i = 0; i < kStates; ++i) state[i] = this->numbers(i).at(begin);
    return state;
  }
  const Options& options() const { return options_; }

  /// The formula on elements [begin, end) inside the block, measured where that is wanted.
  void pass(const Formula& formula, const Block<T>& block, std::int64_t begin, std::int64_t end) {
    T* const w = block.weight + (begin - block.begin);
    const T* const g = block.gradient + (begin - block.begin);
    if (std::is_same_v<T, Traced> || !this->is_watched()) {
      return detail::formula_pass<T>(formula, w, g, state_at(begin).data(), end - begin);
    }
    const std::size_t b = detail::block_number(block.begin);
    GroupWatch& watch = *this->frame().watch;
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
      const std::vector<Interval>& tensors = this->frame().tensors;
      auto tensor = std::lower_bound(tensors.begin(), tensors.end(), from,
                                     [](const Interval& r, std::int64_t element) { return r.end <= element; });
      for (; tensor != tensors.end() && tensor->begin < to; ++tensor) {
        f(static_cast<std::size_t>(tensor - tensors.begin()), std::max(from, tensor->begin), std::min(to, tensor->end));
      }
    });
  }

 private:
  /// The coefficients of a step.
  struct Formulas {
    Formula decayed, exempt;
  };

  void make(const Step& step, Formulas& formulas) {
    formulas.decayed = Formula(options_, step);
    formulas.exempt = formulas.decayed;
    if constexpr (detail::HasNoBiasDecay<Options>) {
      if (!options_.no_bias_decay) return;
      std::swap(options_.weight_decay, no_decay_);  // the same coefficients but one, without copying schedules
      formulas.exempt = Formula(options_, step);
      std::swap(options_.weight_decay, no_decay_);
    }
  }

  Options& options_;
  Schedule no_decay_ = 0;
  Formulas of_step_;
  std::vector<Formulas> late_;  // of parameters that have missed as many updates as late() says
};

}  // namespace tandem
