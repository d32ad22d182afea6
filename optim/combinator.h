// Combinator: what rules round rules share: options, children of their own, describe and both doors of bind. A rule of
// your own that wraps another comes in through here; what it does at work is a Wrapper<T> (bound.h):
//
//   struct QuietOptions { Schedule factor = 0.5;  void fields(Fields& f) { f("factor", factor, kNotNegative); } };
//   struct QuietNode : Combinator<QuietNode, QuietOptions> {
//     static constexpr const char* kName = "quiet";
//     using Combinator::Combinator;
//     template <class T> std::unique_ptr<Bound<T>> bind(const Frame& frame) {
//       return std::make_unique<BoundQuiet<T>>(options_.factor, bind_as<T>(*inner_, frame));
//     }
//   };
//   Rule quiet(const Rule& inner, const QuietOptions& options = {}) { return combine<QuietNode>(options, inner); }
//
// and register_combinator<QuietNode>() for parse_rule.
#pragma once

#include <tandem/optim/bound.h>

namespace tandem {

template <class Self, class OptionsType>
class Combinator : public RuleNode {
 public:
  using Options = OptionsType;
  Combinator(Options options, const Rule& inner) : options_(std::move(options)), inner_(inner.node().clone()) {}

  std::string name() const override { return Self::kName; }
  void fields(Fields& fields) override { options_.fields(fields); }
  std::vector<std::string> default_texts() const override {
    Options fresh;
    Fields fields;
    fresh.fields(fields);
    std::vector<std::string> texts;
    for (const Field& field : fields.all()) texts.push_back(field.text());
    return texts;
  }
  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<Self>(static_cast<const Self&>(*this));
    copy->inner_ = inner_->clone();
    return copy;
  }
  std::vector<Child> children() override { return {{"inner", inner_.get()}}; }
  std::unique_ptr<Bound<float>> bind_float(const Frame& frame) override {
    return static_cast<Self*>(this)->template bind<float>(frame);
  }
  std::unique_ptr<Bound<double>> bind_double(const Frame& frame) override {
    return static_cast<Self*>(this)->template bind<double>(frame);
  }

 protected:
  Options options_;
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
