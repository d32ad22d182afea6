// A leaf at work: its formula as a vectorised, threaded pass over the arena, with named state. How to write a leaf:
// leaf.h; leaves that need norms per tensor: bound_norm_leaf.h.
#pragma once

#include <array>
#include <cstring>
#include <utility>

#include <tandem/core/dispatch.h>
#include <tandem/optim/bound.h>

#if defined(__clang__)
#define TANDEM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define TANDEM_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace tandem {

/// first_moment: what InnerState::interpolate mixes (a momentum, an average of gradients). other: everything else.
enum class Role { first_moment, other };

/// A named buffer of one number a weight, zero at the start.
struct State {
  const char* name = "";
  Role role = Role::other;
};

/// No state at all: `static constexpr auto kState = kNoState;`.
inline constexpr std::array<State, 0> kNoState{};

/// The first of a list: for a formula whose number of states depends on a template argument.
template <std::size_t n, std::size_t all>
constexpr std::array<State, n> first_states(const State (&states)[all]) {
  std::array<State, n> first{};
  for (std::size_t i = 0; i < n; ++i) first[i] = states[i];
  return first;
}

namespace detail {

template <class T, class Formula, std::size_t... I>
TANDEM_INLINE void formula_loop(const Formula formula, T* w, const T* g, T* const* state, std::int64_t n,
                                std::index_sequence<I...>) {
  [[maybe_unused]] T* const s[sizeof...(I) + 1] = {state[I]..., nullptr};
  TANDEM_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) formula(w[i], g[i], s[I][i]...);
}

/// The formula on n elements. Everything is inlined (flatten), so that it is compiled for each instruction set.
template <class T, class Formula>
TANDEM_TARGETS __attribute__((flatten)) void formula_pass(const Formula formula, T* w, const T* g, T* const* state,
                                                          std::int64_t n) {
  formula_loop(formula, w, g, state, n, std::make_index_sequence<Formula::kState.size()>{});
}

template <class Options>
concept HasNoBiasDecay = requires(Options o) {
  o.no_bias_decay;
  o.weight_decay;
};

}  // namespace detail

template <class Formula, class T>
class BoundLeaf : public Bound<T> {
 public:
  using Options = typename Formula::Options;
  static constexpr std::size_t kStates = Formula::kState.size();

  BoundLeaf(Options& options, const Frame& frame)
      : options_(options), frame_(frame), formula_(options, {}), exempt_(formula_), missed_(frame.tensors.size()) {
    for (std::size_t i = 0; i < kStates; ++i) {
      buffers_[i] = Array::zeros({frame.size}, frame.dtype);
      state_[i] = buffers_[i].template data<T>();
    }
  }

  void prepare(std::int64_t index) override {
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

  void update(const Block<T>& block, int phase) override {
    if (phase > 0) return;
    for_runs(*block.runs, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool is_decayed) {
      if (late_.empty()) {
        pass(formula(is_decayed), block, begin, end);
      } else {
        pass_tensors(block, begin, end);
      }
    });
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    for (std::size_t i = 0; i < kStates; ++i) std::fill(state_[i] + begin, state_[i] + end, T(0));
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
      if (s.role == Role::first_moment) moments.push_back({path + s.name, state_[i]});
    }
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    for (std::size_t i = 0; i < kStates; ++i) visitor.buffer(path + Formula::kState[i].name, buffers_[i]);
    visitor.counter(path + "step", count_);
    visitor.counters(path + "missed", missed_);
  }

 protected:
  /// The coefficients of this step for tensor t of the frame: of its own step count.
  const Formula& formula_of(std::size_t t) const {
    const Late* const late = late_.empty() ? nullptr : find_late(missed_[t]);
    if (late == nullptr) return formula(frame_.tensors[t].is_decayed);
    return frame_.tensors[t].is_decayed ? late->formula : late->exempt;
  }
  /// The coefficients of this step, for parameters with and without weight decay.
  const Formula& formula(bool is_decayed) const { return is_decayed ? formula_ : exempt_; }
  std::array<T*, kStates + 1> state_at(std::int64_t begin) const {
    std::array<T*, kStates + 1> state{};
    for (std::size_t i = 0; i < kStates; ++i) state[i] = state_[i] + begin;
    return state;
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

  void pass(const Formula& formula, const Block<T>& block, std::int64_t begin, std::int64_t end) {
    detail::formula_pass<T>(formula, block.weight + begin, block.gradient + (begin - block.begin),
                            state_at(begin).data(), end - begin);
  }

  /// The pass on the tensors inside [begin, end) one by one, where their step counts differ.
  void pass_tensors(const Block<T>& block, std::int64_t begin, std::int64_t end) {
    const std::vector<Interval>& tensors = frame_.tensors;
    auto tensor = std::lower_bound(tensors.begin(), tensors.end(), begin,
                                   [](const Interval& r, std::int64_t element) { return r.end <= element; });
    for (; tensor != tensors.end() && tensor->begin < end; ++tensor) {
      pass(formula_of(static_cast<std::size_t>(tensor - tensors.begin())), block, std::max(begin, tensor->begin),
           std::min(end, tensor->end));
    }
  }

  Options& options_;
  const Frame& frame_;
  Schedule no_decay_ = 0;
  Formula formula_, exempt_;
  std::vector<Late> late_;  // in this step; empty where all parameters have had all gradients
  std::array<Array, kStates> buffers_;
  std::array<T*, kStates> state_{};
  std::int64_t count_ = 0;            // updates since the state was fresh
  std::vector<std::int64_t> missed_;  // and those that a tensor had no gradient in
};

}  // namespace tandem
