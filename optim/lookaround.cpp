// Lookaround at work: copies that step side by side (engine/copies.h), and a cycle whose slow weights become their
// mean. See lookaround.h.
#include <tandem/optim/lookaround.h>

#include <limits>
#include <utility>

#include <tandem/core/error.h>
#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/copies.h>
#include <tandem/optim/engine/cycle.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

template <class T>
struct FirstCopy {
  static constexpr const char* kName = "mean";
  static constexpr std::array kNames = {"mean", "w"};
  static constexpr auto kState = kNoState;
  void operator()(T& mean, T w) const { mean = w; }
};

/// One more copy: exact where all are equal.
template <class T>
struct NextCopy {
  static constexpr const char* kName = "mean";
  static constexpr std::array kNames = {"mean", "w"};
  static constexpr auto kState = kNoState;
  T copies;  // with this one
  void operator()(T& mean, T w) const { mean += (w - mean) / copies; }
};

template <class T>
class RunningLookaround : public Follower<T> {
 public:
  RunningLookaround(const LookaroundOptions& options, std::unique_ptr<Copies<T>> copies, const Frame& frame)
      : Follower<T>(std::move(copies)), options_(options), frame_(frame), cycle_(frame, options.state, this->inner()) {}

  void begin(std::int64_t index) override {
    this->inner().begin(index);
    cycle_.count(whole(options_.k.at(index)));
    this->plan(cycle_.is_sync() || cycle_.is_watched(), cycle_.is_sync() && frame_.splits_syncs);
  }
  void update(const Block<T>& block) override {
    cycle_.watch_before(block);
    Follower<T>::update(block);
  }
  /// The inner rules have moved the block of each copy.
  void act(const Block<T>& block) override {
    cycle_.watch_after(block);
    if (!cycle_.is_sync()) return;
    T* const slow = cycle_.slow(block.begin);
    detail::copy_pass<T>(FirstCopy<T>{}, slow, block.weight, block.size());
    for (std::size_t i = 1; i < copies().size(); ++i) {
      const NextCopy<T> next{coefficient<T>("copies", static_cast<double>(i + 1))};
      detail::formula_pass<T>(next, slow, copies().weights(i, block.begin), nullptr, block.size());
    }
    cycle_.land(block, 0);
  }
  void end() override {
    this->inner().end();
    cycle_.report(std::numeric_limits<double>::quiet_NaN());
    cycle_.end();
  }

  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override { cycle_.anchor(weight, begin, end); }
  void restart_cycles() override { cycle_.restart(); }
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    this->inner().first_moments(path, moments);
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    cycle_.state(path, visitor);
    this->inner().state(path, visitor);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    this->inner().measured(path, visitor);
  }
  T* evaluation_weights() override { return cycle_.slow(0); }
  bool is_at_sync() const override { return cycle_.counter() == 0; }
  bool moves_all() const override { return cycle_.is_sync() || this->inner().moves_all(); }
  void join(Roll<T>& roll) override {
    if (roll.changes_gradients || roll.changes_updates) {
      fail_usage("lookaround", "a rule round it changes gradients, updates or steps", "it would change copy 0 alone",
                 "put it inside: lookaround(clip_norm(...))");
    }
    roll.copies = options_.copies;
    cycle_.join(roll, "lookaround");
    this->inner().join(roll);
  }
  int next_sync() const override {
    if (this->inner().waits()) return this->inner().next_sync();
    return this->waits() && cycle_.is_sync() ? cycle_.level() : -1;
  }

 private:
  Copies<T>& copies() { return static_cast<Copies<T>&>(this->inner()); }

  const LookaroundOptions& options_;
  const Frame& frame_;
  Cycle<T> cycle_;
};

bool holds_lookaround(RuleNode& node) {
  if (node.name() == "lookaround") return true;
  for (const RuleNode::Child& child : node.children()) {
    if (holds_lookaround(*child.node)) return true;
  }
  return false;
}

class LookaroundNode : public RuleNodeOf<LookaroundNode, LookaroundOptions> {
 public:
  static constexpr const char* kName = "lookaround";
  LookaroundNode(LookaroundOptions options, const Rule& inner)
      : RuleNodeOf(std::move(options)), inner_(inner.node().clone()) {}

  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<LookaroundNode>(*this);
    copy->inner_ = inner_->clone();
    return copy;
  }
  std::vector<Child> children() override { return {{"inner", inner_.get()}}; }
  void check() override {
    RuleNodeOf::check();
    if (options_.state == InnerState::interpolate) {
      fail_usage(kName, "state is interpolate, must be maintain or reset");
    }
    if (holds_lookaround(*inner_)) fail_usage(kName, "is inside another", inner_->describe(), "use more copies");
  }

  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<RunningLookaround<T>>(this->options_,
                                                  std::make_unique<Copies<T>>(*inner_, options_.copies, frame), frame);
  }

 private:
  std::shared_ptr<RuleNode> inner_;
};

}  // namespace

Rule lookaround(const Rule& inner, const LookaroundOptions& options) { return combine<LookaroundNode>(options, inner); }

void detail::register_lookaround() { register_combinator<LookaroundNode>(); }

}  // namespace tandem
