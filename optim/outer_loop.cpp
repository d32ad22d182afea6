// The outer loop at work: Lookahead (lookahead.cpp) with a rule in place of the pull. The outer rule steps the slow
// weights in the inner rule's sweep, but for outer rules that must look at the whole pseudo-gradient first.
#include <tandem/optim/outer_loop.h>

#include <tandem/core/error.h>
#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/cycle.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/worker_mean.h>

namespace tandem {
namespace {

/// slow - fast, the gradient that the outer rule sees.
template <class T>
struct PseudoGradient {
  static constexpr const char* kName = "pseudo-gradient";
  static constexpr std::array kNames = {"slow - fast", "fast"};
  static constexpr auto kState = kNoState;
  void operator()(T& difference, T fast) const { difference -= fast; }
};

template <class T>
class PseudoSource : public GradientSource<T> {
 public:
  PseudoSource(const T* slow, const T* fast, const Frame& frame) : slow_(slow), fast_(fast), frame_(frame) {}
  const T* read(std::int64_t begin, std::int64_t end, T* scratch) const override {
    return difference(slow_ + begin, fast_ + begin, end - begin, scratch);
  }
  const std::vector<Interval>& runs() const override { return frame_.all; }

  static const T* difference(const T* slow, const T* fast, std::int64_t n, T* scratch) {
    std::copy(slow, slow + n, scratch);
    detail::formula_pass<T>(PseudoGradient<T>{}, scratch, fast, nullptr, n);
    return scratch;
  }

 private:
  const T *slow_, *fast_;  // element 0
  const Frame& frame_;
};

/// What the outer rule is bound to: a pull is for all parameters, and nobody watches it.
Frame outer_frame(const Frame& frame) {
  Frame outer = frame;
  outer.arrived = frame.all;
  outer.has_gradient.assign(frame.tensors.size(), 1);
  return outer;
}

/// The lr of the leaf inside a rule, or null.
const Schedule* lr_of(RuleNode& node) {
  for (const RuleNode::Child& child : node.children()) {
    if (std::string_view(child.role) == "inner") return lr_of(*child.node);
  }
  Fields fields;
  node.fields(fields);
  const Field* lr = fields.find("lr");
  return lr != nullptr && std::holds_alternative<Schedule*>(lr->value) ? std::get<Schedule*>(lr->value) : nullptr;
}

template <class T>
class RunningOuterLoop : public Follower<T> {
 public:
  RunningOuterLoop(const OuterLoopOptions& options, RuleNode& outer, std::unique_ptr<Running<T>> inner,
                   const Frame& frame)
      : Follower<T>(std::move(inner)),
        options_(options),
        frame_(frame),
        outer_frame_(outer_frame(frame)),
        outer_lr_(lr_of(outer)),
        outer_(bind_as<T>(outer, outer_frame_)),
        cycle_(frame, options.state, this->inner()),
        mean_(options.workers, frame) {
    if (outer_->needs_closure()) {
      fail_usage("outer_loop", "the outer rule needs step(closure)", outer.describe());
    }
  }

  void begin(std::int64_t index) override {
    this->inner().begin(index);
    cycle_.count(whole(options_.k.at(index)));
    mix_ = options_.mix.at(index);
    index_ = index;
    has_stepped_ = false;
    if (cycle_.is_sync()) outer_->begin(index);
    mean_.begin(cycle_.is_sync());
    this->plan(cycle_.is_sync() || cycle_.is_watched(),
               cycle_.is_sync() && (outer_->looks() || outer_->waits() || frame_.splits_syncs || mean_.is_due()));
  }

  void update(const Block<T>& block) override {
    cycle_.watch_before(block);
    Follower<T>::update(block);
  }

  bool look_before_act(const Look<T>& look) override {
    if (!cycle_.is_sync()) return false;
    mean_.look(look);
    T* const slow = cycle_.slow(0);
    return outer_->look({slow, PseudoSource<T>(slow, look.weight, outer_frame_), look.seat});
  }

  /// The inner rule has moved the block.
  void act(const Block<T>& block) override {
    if (!has_stepped_) mean_.explain(block);
    if (!has_stepped_) cycle_.watch_after(block);
    if (!cycle_.is_sync()) return;
    T* const slow = cycle_.slow(block.begin);
    if (!has_stepped_) {
      const T* const gradient = PseudoSource<T>::difference(slow, block.weight, block.size(), block.scratch);
      outer_->update({block.begin, block.end, slow, gradient, &outer_frame_.all, block.scratch});
    } else if (outer_->waits()) {
      outer_->resume({block.begin, block.end, slow, nullptr, &outer_frame_.all, block.scratch});
    }
    if (!outer_->waits() || is_landing_) cycle_.land(block, mix_);
  }
  bool has_acted() override {
    if (!cycle_.is_sync()) return true;
    const bool was_waiting = outer_->waits();
    outer_->settle();
    has_stepped_ = true;
    const bool landed = !was_waiting || is_landing_;
    is_landing_ = was_waiting && !outer_->waits();
    return landed;
  }

  void end() override {
    this->inner().end();
    cycle_.report(outer_lr_ != nullptr ? outer_lr_->at(index_) : std::numeric_limits<double>::quiet_NaN());
    if (cycle_.is_sync()) outer_->end();
    cycle_.end();
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    this->inner().clear(begin, end);
    outer_->clear(begin, end);
  }
  void restart_count() override {
    this->inner().restart_count();
    outer_->restart_count();
  }
  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override {
    outer_->anchor(weight, begin, end);
    cycle_.anchor(weight, begin, end);
  }
  void restart_cycles() override {
    cycle_.restart();
    outer_->restart_cycles();
  }
  void restart_averages() override {
    this->inner().restart_averages();
    outer_->restart_averages();
  }
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    Follower<T>::first_moments(path, moments);
    outer_->first_moments(path + "outer/", moments);
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    cycle_.state(path, visitor);
    Follower<T>::state(path, visitor);
    outer_->state(path + "outer/", visitor);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    Follower<T>::measured(path, visitor);
    outer_->measured(path + "outer/", visitor);
    mean_.measured(path, visitor);
  }
  void recall() override {
    this->inner().recall();
    if (cycle_.is_sync()) outer_->recall();
  }
  /// What the outer rule shows for its weights, the slow ones: an average in it, say.
  T* evaluation_weights() override {
    T* const shown = outer_->evaluation_weights();
    return shown != nullptr && !outer_->is_at_sync() ? shown : cycle_.slow(0);
  }
  bool is_at_sync() const override { return cycle_.counter() == 0 && outer_->is_at_sync(); }
  bool moves_all() const override { return cycle_.is_sync() || this->inner().moves_all(); }
  void join(Roll<T>& roll) override {
    mean_.join(roll, "outer_loop");
    cycle_.join(roll, "outer_loop");
    this->inner().join(roll);
  }
  int next_sync() const override {
    if (this->inner().waits()) return this->inner().next_sync();
    return this->waits() && cycle_.is_sync() && !has_stepped_ ? cycle_.level() : -1;
  }

 private:
  const OuterLoopOptions& options_;
  const Frame& frame_;
  const Frame outer_frame_;
  const Schedule* outer_lr_;
  std::unique_ptr<Running<T>> outer_;
  Cycle<T> cycle_;
  WorkerMean<T> mean_;
  std::int64_t index_ = 0;
  double mix_ = 0;
  bool has_stepped_ = false, is_landing_ = false;
};

class OuterLoopNode : public RuleNodeOf<OuterLoopNode, OuterLoopOptions> {
 public:
  static constexpr const char* kName = "outer_loop";
  OuterLoopNode(OuterLoopOptions options, const Rule& inner, const Rule& outer)
      : RuleNodeOf(std::move(options)), inner_(inner.node().clone()), outer_(outer.node().clone()) {}

  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<OuterLoopNode>(*this);
    copy->inner_ = inner_->clone();
    copy->outer_ = outer_->clone();
    return copy;
  }
  std::vector<Child> children() override { return {{"inner", inner_.get()}, {"outer", outer_.get()}}; }

  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<RunningOuterLoop<T>>(options_, *outer_, bind_as<T>(*inner_, frame), frame);
  }

 private:
  std::shared_ptr<RuleNode> inner_, outer_;
};

}  // namespace

Rule outer_loop(const Rule& inner, const Rule& outer, const OuterLoopOptions& options) {
  return combine<OuterLoopNode>(options, inner, outer);
}

void detail::register_outer_loop() {
  register_rule("outer_loop", {"inner", "outer"}, [](const std::vector<Rule>& r) -> std::shared_ptr<RuleNode> {
    return std::make_shared<OuterLoopNode>(OuterLoopOptions{}, r[0], r[1]);
  });
}

}  // namespace tandem
