// The lift: from a formula for one scalar to a rule with a vectorised, threaded pass over the arena, named state,
// saving, groups, text, and every combinator. Rules of your own come in through here too; adam.h is the pattern:
//
//   struct MineOptions { Schedule lr = 0.1;  void fields(Fields& f) { f("lr", lr, kNotNegative); } };
//   template <class T> struct Mine {
//     using Options = MineOptions;
//     static constexpr const char* kName = "mine";
//     static constexpr std::array kState = {State{"speed", Role::first_moment}};
//     T lr;                                                             // coefficients: once a step, in double,
//     Mine(const Options& h, Step t) : lr(static_cast<T>(h.lr(t))) {}   // rounded once
//     void operator()(T& w, T g, T& speed) const { speed += g; w -= lr * speed; }
//   };
//   Rule mine(const MineOptions& options) { return leaf<Mine>(options); }   // and register_leaf<Mine>() for parse_rule
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
  const char* name;
  Role role = Role::other;
};

/// No state at all: `static constexpr auto kState = kNoState;`.
inline constexpr std::array<State, 0> kNoState{};

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

template <template <class> class Formula, class T>
class BoundLeaf : public Bound<T> {
 public:
  using Options = typename Formula<T>::Options;
  static constexpr std::size_t kStates = Formula<T>::kState.size();

  BoundLeaf(Options& options, const Frame& frame) : options_(options), formula_(options, {}), exempt_(formula_) {
    for (std::size_t i = 0; i < kStates; ++i) {
      buffers_[i] = Array::zeros({frame.size}, frame.dtype);
      state_[i] = buffers_[i].template data<T>();
    }
  }

  void prepare(std::int64_t index) override {
    const Step step{index, ++count_};
    formula_ = Formula<T>(options_, step);
    exempt_ = formula_;
    if constexpr (detail::HasNoBiasDecay<Options>) {
      if (!options_.no_bias_decay) return;
      std::swap(options_.weight_decay, no_decay_);  // the same coefficients but one, without copying schedules
      exempt_ = Formula<T>(options_, step);
      std::swap(options_.weight_decay, no_decay_);
    }
  }

  void update(const Block<T>& block, int phase) override {
    if (phase > 0) return;
    for_runs(*block.runs, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool is_decayed) {
      std::array<T*, kStates + 1> state{};
      for (std::size_t i = 0; i < kStates; ++i) state[i] = state_[i] + begin;
      detail::formula_pass<T>(is_decayed ? formula_ : exempt_, block.weight + begin,
                              block.gradient + (begin - block.begin), state.data(), end - begin);
    });
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    for (std::size_t i = 0; i < kStates; ++i) std::fill(state_[i] + begin, state_[i] + end, T(0));
  }
  void restart_count() override { count_ = 0; }
  void anchor(const T*, std::int64_t, std::int64_t) override {}
  void restart_cycles() override {}

  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    for (std::size_t i = 0; i < kStates; ++i) {
      const State& s = Formula<T>::kState[i];
      if (s.role == Role::first_moment) moments.push_back({path + s.name, state_[i]});
    }
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    for (std::size_t i = 0; i < kStates; ++i) visitor.buffer(path + Formula<T>::kState[i].name, buffers_[i]);
    visitor.counter(path + "step", count_);
  }

 private:
  Options& options_;
  Schedule no_decay_ = 0;
  Formula<T> formula_, exempt_;
  std::array<Array, kStates> buffers_;
  std::array<T*, kStates> state_{};
  std::int64_t count_ = 0;  // updates since the state was fresh
};

template <template <class> class Formula>
class LeafNode : public RuleNode {
 public:
  using Options = typename Formula<double>::Options;

  explicit LeafNode(Options options = {}) : options_(std::move(options)) {}
  std::string name() const override { return Formula<double>::kName; }
  std::shared_ptr<RuleNode> clone() const override { return std::make_shared<LeafNode>(*this); }
  void fields(Fields& fields) override { options_.fields(fields); }
  std::vector<std::string> default_texts() const override {
    Options fresh;
    Fields fields;
    fresh.fields(fields);
    std::vector<std::string> texts;
    for (const Field& field : fields.all()) texts.push_back(field.text());
    return texts;
  }
  std::unique_ptr<Bound<float>> bind_float(const Frame& frame) override {
    return std::make_unique<BoundLeaf<Formula, float>>(options_, frame);
  }
  std::unique_ptr<Bound<double>> bind_double(const Frame& frame) override {
    return std::make_unique<BoundLeaf<Formula, double>>(options_, frame);
  }

 private:
  Options options_;
};

/// The rule of a formula. Throws UsageError when an option is out of its range.
template <template <class> class Formula>
Rule leaf(const typename Formula<double>::Options& options = {}) {
  auto node = std::make_shared<LeafNode<Formula>>(options);
  node->check();
  return Rule(std::move(node));
}

/// Makes parse_rule know the formula under its kName.
template <template <class> class Formula>
void register_leaf() {
  register_rule(Formula<double>::kName, {}, [](const std::vector<Rule>&) -> std::shared_ptr<RuleNode> {
    return std::make_shared<LeafNode<Formula>>();
  });
}

}  // namespace tandem
