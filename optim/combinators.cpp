// The rules that take rules: lookahead, outer_loop, clip_norm, clip_value, ema, swa, polyak, and their names for
// parse_rule. What they do at work: bound_loop.h, bound_clip.h, bound_average.h.
#include <tandem/core/error.h>
#include <tandem/optim/bound_average.h>
#include <tandem/optim/bound_clip.h>
#include <tandem/optim/bound_loop.h>
#include <tandem/optim/clip.h>
#include <tandem/optim/combinator.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/outer_loop.h>
#include <tandem/optim/register.h>

namespace tandem {
namespace {

class LookaheadNode : public Combinator<LookaheadNode, LookaheadOptions> {
 public:
  static constexpr const char* kName = "lookahead";
  using Combinator::Combinator;

  template <class T>
  std::unique_ptr<Bound<T>> bind(const Frame& frame) {
    return std::make_unique<BoundLoop<T>>(options_.k, options_.alpha, options_.state, bind_as<T>(*inner_, frame),
                                          nullptr, frame, options_.adaptive ? &options_.alpha_low : nullptr);
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
    auto outer_frame = std::make_unique<Frame>(frame);  // a pull is for all parameters
    outer_frame->arrived = frame.all;
    outer_frame->has_gradient.assign(frame.tensors.size(), 1);
    auto outer = bind_as<T>(*outer_, *outer_frame);
    if (outer->needs_closure()) fail_usage(kName, "the outer rule needs step(closure)", outer_->describe());
    return std::make_unique<BoundLoop<T>>(options_.k, options_.mix, options_.state, bind_as<T>(*inner_, frame),
                                          std::move(outer), frame, nullptr, lr_of(*outer_), std::move(outer_frame));
  }

 private:
  /// The lr of the leaf inside a rule, or null.
  static const Schedule* lr_of(RuleNode& node) {
    for (const Child& child : node.children()) {
      if (std::string_view(child.role) == "inner") return lr_of(*child.node);
    }
    Fields fields;
    node.fields(fields);
    const Field* lr = fields.find("lr");
    return lr != nullptr && std::holds_alternative<Schedule*>(lr->value) ? std::get<Schedule*>(lr->value) : nullptr;
  }

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

template <template <class> class BoundKind, class Name, class Options_>
class AverageNode : public Combinator<AverageNode<BoundKind, Name, Options_>, Options_> {
 public:
  static constexpr const char* kName = Name::kName;
  using Combinator<AverageNode, Options_>::Combinator;

  template <class T>
  std::unique_ptr<Bound<T>> bind(const Frame& frame) {
    return std::make_unique<BoundKind<T>>(this->options_, bind_as<T>(*this->inner_, frame), frame);
  }
};
struct EmaName {
  static constexpr const char* kName = "ema";
};
struct SwaName {
  static constexpr const char* kName = "swa";
};
struct PolyakName {
  static constexpr const char* kName = "polyak";
};
struct PolyakOptions : SwaOptions {  // every step from the first
  void fields(Fields&) {}
};
using EmaNode = AverageNode<BoundEma, EmaName, EmaOptions>;
using SwaNode = AverageNode<BoundSwa, SwaName, SwaOptions>;
using PolyakNode = AverageNode<BoundSwa, PolyakName, PolyakOptions>;

}  // namespace

Rule lookahead(const Rule& inner, const LookaheadOptions& options) { return combine<LookaheadNode>(options, inner); }
Rule outer_loop(const Rule& inner, const Rule& outer, const OuterLoopOptions& options) {
  return combine<OuterLoopNode>(options, inner, outer);
}
Rule clip_norm(const Rule& inner, const Schedule& max) { return combine<ClipNormNode>({max}, inner); }
Rule clip_value(const Rule& inner, const Schedule& max) { return combine<ClipValueNode>({max}, inner); }

Rule ema(const Rule& inner, const EmaOptions& options) { return combine<EmaNode>(options, inner); }
Rule swa(const Rule& inner, const SwaOptions& options) { return combine<SwaNode>(options, inner); }
Rule polyak(const Rule& inner) { return combine<PolyakNode>({}, inner); }

void detail::register_combinators() {
  register_combinator<LookaheadNode>();
  register_combinator<ClipNormNode>();
  register_combinator<ClipValueNode>();
  register_combinator<EmaNode>();
  register_combinator<SwaNode>();
  register_combinator<PolyakNode>();
  register_rule("outer_loop", {"inner", "outer"}, [](const std::vector<Rule>& r) -> std::shared_ptr<RuleNode> {
    return std::make_shared<OuterLoopNode>(OuterLoopOptions{}, r[0], r[1]);
  });
}

}  // namespace tandem
