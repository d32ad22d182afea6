// Combinator: what rules round rules share: options, an inner rule, describe and all doors of bind. A rule of your own
// that wraps another comes in through here; what it does at work is a Wrapper, Follower or GradientTransform
// (engine/wrapper.h):
//
//   struct HalfOptions { Schedule factor = 0.5;  void fields(Fields& f) { f("factor", factor, kNotNegative); } };
//   template <class T> class RunningHalf : public GradientTransform<T> {   // (options, inner, frame)
//   struct HalfNode : Combinator<HalfNode, HalfOptions, RunningHalf> {
//     static constexpr const char* kName = "half";
//     using Combinator::Combinator;
//   };
//   Rule half(const Rule& inner, const HalfOptions& options = {}) { return combine<HalfNode>(options, inner); }
//
// and register_combinator<HalfNode>() for parse_rule. T is float, double, or Traced (study/traced.h), a number that
// explains itself: it converts by static_cast, like any T.
#pragma once

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/wrapper.h>
#include <tandem/optim/study/traced.h>

namespace tandem {

/// A node with options, whose class has `template <class T> bind(const Frame&)` and kName.
template <class Self, class OptionsType>
class RuleNodeOf : public RuleNode {
 public:
  using Options = OptionsType;
  explicit RuleNodeOf(Options options) : options_(std::move(options)) {}

  std::string name() const override { return Self::kName; }
  void fields(Fields& fields) override { options_.fields(fields); }
  std::vector<std::string> default_texts() const override {
    Options fresh;
    Fields fields;
    fresh.fields(fields);
    return fields.texts();
  }
  std::unique_ptr<Running<float>> bind_float(const Frame& frame) override { return self().template bind<float>(frame); }
  std::unique_ptr<Running<double>> bind_double(const Frame& frame) override {
    return self().template bind<double>(frame);
  }
  std::unique_ptr<Running<Traced>> bind_traced(const Frame& frame) override {
    return self().template bind<Traced>(frame);
  }

 protected:
  Options options_;

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

template <class Self, class OptionsType, template <class> class Work>
class Combinator : public RuleNodeOf<Self, OptionsType> {
 public:
  Combinator(OptionsType options, const Rule& inner)
      : RuleNodeOf<Self, OptionsType>(std::move(options)), inner_(inner.node().clone()) {}

  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<Self>(static_cast<const Self&>(*this));
    copy->inner_ = inner_->clone();
    return copy;
  }
  std::vector<RuleNode::Child> children() override { return {{"inner", inner_.get()}}; }

  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<Work<T>>(this->options_, bind_as<T>(*inner_, frame), frame);
  }

 private:
  std::shared_ptr<RuleNode> inner_;
};

/// The rule of a node made from options and rules. Throws UsageError when an option is out of its range.
template <class Node, class... Rules>
Rule combine(const typename Node::Options& options, const Rules&... rules) {
  auto node = std::make_shared<Node>(options, rules...);
  node->check();
  return Rule(std::move(node));
}

/// Makes parse_rule know a node with one inner rule under its kName.
template <class Node>
void register_combinator() {
  register_rule(Node::kName, {"inner"}, [](const std::vector<Rule>& rules) -> std::shared_ptr<RuleNode> {
    return std::make_shared<Node>(typename Node::Options{}, rules[0]);
  });
}

}  // namespace tandem
