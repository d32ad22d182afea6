// The rules that take rules: lookahead, outer_loop, clip_norm, clip_value, and their names for parse_rule.
// What they do at work: bound_loop.h, bound_clip.h.
#include <tandem/optim/bound_clip.h>
#include <tandem/optim/bound_loop.h>
#include <tandem/optim/clip.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/outer_loop.h>
#include <tandem/optim/register.h>

namespace tandem {
namespace {

/// What all combinators share: options, children of their own, and the two doors of bind.
template <class Self, class Options>
class Combinator : public RuleNode {
 public:
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

class LookaheadNode : public Combinator<LookaheadNode, LookaheadOptions> {
 public:
  static constexpr const char* kName = "lookahead";
  using Combinator::Combinator;

  template <class T>
  std::unique_ptr<Bound<T>> bind(const Frame& frame) {
    return std::make_unique<BoundLoop<T>>(options_.k, options_.alpha, options_.state, bind_as<T>(*inner_, frame),
                                          nullptr, frame);
  }
};

class OuterLoopNode : public Combinator<OuterLoopNode, OuterLoopOptions> {
 public:
  static constexpr const char* kName = "outer_loop";
  OuterLoopNode(OuterLoopOptions options, const Rule& inner, const Rule& outer)
      : Combinator(std::move(options), inner), outer_(outer.node().clone()) {}

  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<OuterLoopNode>(*this);
    copy->inner_ = inner_->clone();
    copy->outer_ = outer_->clone();
    return copy;
  }
  std::vector<Child> children() override { return {{"inner", inner_.get()}, {"outer", outer_.get()}}; }

  template <class T>
  std::unique_ptr<Bound<T>> bind(const Frame& frame) {
    return std::make_unique<BoundLoop<T>>(options_.k, options_.mix, options_.state, bind_as<T>(*inner_, frame),
                                          bind_as<T>(*outer_, frame), frame);
  }

 private:
  std::shared_ptr<RuleNode> outer_;
};

struct ClipOptions {
  Schedule max = 1;
  void fields(Fields& f) { f("max", max, {.is_low_open = true}, kAlways); }
};

template <template <class> class BoundClip, class Name>
class ClipNode : public Combinator<ClipNode<BoundClip, Name>, ClipOptions> {
 public:
  static constexpr const char* kName = Name::kName;
  using Combinator<ClipNode, ClipOptions>::Combinator;

  template <class T>
  std::unique_ptr<Bound<T>> bind(const Frame& frame) {
    return std::make_unique<BoundClip<T>>(this->options_.max, bind_as<T>(*this->inner_, frame), frame);
  }
};
struct NormName {
  static constexpr const char* kName = "clip_norm";
};
struct ValueName {
  static constexpr const char* kName = "clip_value";
};
using ClipNormNode = ClipNode<BoundClipNorm, NormName>;
using ClipValueNode = ClipNode<BoundClipValue, ValueName>;

template <class Node, class Options, class... Rules>
Rule checked(Options options, const Rules&... rules) {
  auto node = std::make_shared<Node>(std::move(options), rules...);
  node->check();
  return Rule(std::move(node));
}

}  // namespace

Rule lookahead(const Rule& inner, const LookaheadOptions& options) { return checked<LookaheadNode>(options, inner); }
Rule outer_loop(const Rule& inner, const Rule& outer, const OuterLoopOptions& options) {
  return checked<OuterLoopNode>(options, inner, outer);
}
Rule clip_norm(const Rule& inner, const Schedule& max) { return checked<ClipNormNode>(ClipOptions{max}, inner); }
Rule clip_value(const Rule& inner, const Schedule& max) { return checked<ClipValueNode>(ClipOptions{max}, inner); }

void detail::register_combinators() {
  using Node = std::shared_ptr<RuleNode>;
  using Rules = std::vector<Rule>;
  register_rule("lookahead", {"inner"},
                [](const Rules& r) -> Node { return std::make_shared<LookaheadNode>(LookaheadOptions{}, r[0]); });
  register_rule("outer_loop", {"inner", "outer"},
                [](const Rules& r) -> Node { return std::make_shared<OuterLoopNode>(OuterLoopOptions{}, r[0], r[1]); });
  register_rule("clip_norm", {"inner"},
                [](const Rules& r) -> Node { return std::make_shared<ClipNormNode>(ClipOptions{}, r[0]); });
  register_rule("clip_value", {"inner"},
                [](const Rules& r) -> Node { return std::make_shared<ClipValueNode>(ClipOptions{}, r[0]); });
}

}  // namespace tandem
