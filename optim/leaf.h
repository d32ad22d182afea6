// The lift: from a formula for one scalar to a rule with a vectorised, threaded pass over the arena, named state,
// saving, groups, text, and every combinator. Rules of your own come in through here too; adam.h is the pattern:
//
//   struct MineOptions { Schedule lr = 0.1;  void fields(Fields& f) { f("lr", lr, kNotNegative); } };
//   template <class T> struct Mine {
//     using Options = MineOptions;
//     static constexpr const char* kName = "mine";
//     static constexpr std::array kState = {State{"speed", Role::first_moment}};
//     T lr;                                                // coefficients: once a step, in double, rounded once
//     Mine(const Options& h, Step t) : lr(coefficient<T>("lr", h.lr(t))) {}
//     void operator()(T& w, T g, T& speed) const { speed += g; w -= lr * speed; }
//   };
//   Rule mine(const MineOptions& options) { return leaf<Mine>(options); }   // and register_leaf<Mine>() for parse_rule
//
// T is float, double or Traced (study/traced.h): write functions without std::, after `using std::sqrt;`. Other kinds:
// norms or numbers per tensor (lamb.h, nadam.h), of a group (prodigy.h), tensors (muon.h), state by a flag (rmsprop.h).
#pragma once

#include <type_traits>
#include <utility>

#include <tandem/optim/engine/running_matrix_leaf.h>
#include <tandem/optim/engine/running_norm_leaf.h>
#include <tandem/optim/engine/running_number_leaf.h>
#include <tandem/optim/engine/running_sum_leaf.h>
#include <tandem/optim/weight_decay.h>

namespace tandem {

namespace detail {

template <class Formula, class T, std::size_t... I>
constexpr bool takes_states(std::index_sequence<I...>) {
  return std::is_invocable_v<const Formula&, T&, T, decltype(static_cast<void>(I), std::declval<T&>())...>;
}

template <class Formula, class T>
std::unique_ptr<Running<T>> bind_leaf(typename Formula::Options& options, const Frame& frame) {
  if constexpr (requires { typename Formula::Variant; }) {
    if (Formula::wants_variant(options)) return bind_leaf<typename Formula::Variant, T>(options, frame);
  }
  if constexpr (requires { Formula::kBuffers; }) {
    return std::make_unique<RunningMatrixLeaf<Formula, T>>(options, frame);
  } else if constexpr (requires { Formula::kShared; }) {
    return std::make_unique<RunningSumLeaf<Formula, T>>(options, frame);
  } else if constexpr (requires { Formula::kNorms; }) {
    return std::make_unique<RunningNormLeaf<Formula, T>>(options, frame);
  } else if constexpr (requires { Formula::kNumbers; }) {
    return std::make_unique<RunningNumberLeaf<Formula, T>>(options, frame);
  } else {
    static_assert(takes_states<Formula, T>(std::make_index_sequence<Formula::kState.size()>{}),
                  "a formula is void operator()(T& w, T g, T& state...) const, with a state for each entry of kState");
    return std::make_unique<RunningLeaf<Formula, T>>(options, frame);
  }
}

}  // namespace detail

template <template <class> class Formula>
class LeafNode : public RuleNode {
 public:
  using Options = typename Formula<double>::Options;

  explicit LeafNode(Options options = {}) : options_(std::move(options)) {}
  std::string name() const override { return Formula<double>::kName; }
  std::shared_ptr<RuleNode> clone() const override { return std::make_shared<LeafNode>(*this); }
  void fields(Fields& fields) override { options_.fields(fields); }
  int least_rank() override {
    if constexpr (requires { Formula<double>::kLeastRank; }) return Formula<double>::kLeastRank;
    return 0;
  }
  std::vector<std::string> default_texts() const override {
    Options fresh;
    Fields fields;
    fresh.fields(fields);
    return fields.texts();
  }
  std::unique_ptr<Running<float>> bind_float(const Frame& frame) override {
    return detail::bind_leaf<Formula<float>, float>(options_, frame);
  }
  std::unique_ptr<Running<double>> bind_double(const Frame& frame) override {
    return detail::bind_leaf<Formula<double>, double>(options_, frame);
  }
  std::unique_ptr<Running<Traced>> bind_traced(const Frame& frame) override {
    return detail::bind_leaf<Formula<Traced>, Traced>(options_, frame);
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
