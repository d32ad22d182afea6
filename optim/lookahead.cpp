// Lookahead at work: it counts the inner rule's steps and, after the k-th, pulls the slow weights in the same sweep
// over memory. What happens to the rule inside at a sync: engine/cycle.h. Levels, blocks and sweeps: engine/running.h.
#include <tandem/optim/lookahead.h>

#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/cycle.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/worker_mean.h>

namespace tandem {
namespace {

/// Chooses alpha from the gradients of one batch at the slow and at the fast weights.
template <class T>
class AdaptiveAlpha {
 public:
  explicit AdaptiveAlpha(const Frame& frame)
      : frame_(frame), at_slow_(frame), sums_(detail::block_number(frame.size + kBlock - 1)) {}

  void begin() { looks_ = 0; }
  /// Asks for both gradients; true until they are there.
  bool look(const Look<T>& look, T* slow) {
    const T* const g = static_cast<const T*>(looks_ > 0 ? look.seat.gradients() : nullptr);
    if (looks_ == 0) look.seat.ask(slow);
    if (looks_ == 1) {
      std::copy(g, g + frame_.size, at_slow_.at(0));
      look.seat.ask(nullptr);
    }
    if (looks_ == 2) measure(slow, look.weight, at_slow_.at(0), g);
    return looks_++ < 2;
  }
  double& slope() { return slope_; }
  double& bend() { return bend_; }
  double alpha(double low) const {
    const double alpha = bend_ > 0 ? -slope_ / bend_ : slope_ < 0 ? 1.0 : low;
    return std::isnan(alpha) ? low : std::clamp(alpha, low, 1.0);
  }

 private:
  /// Partial sums a block, added in order: the same for every number of threads.
  void measure(const T* slow, const T* fast, const T* g0, const T* gk) {
    for_blocks<T>(frame_.size, [&](std::int64_t block, std::int64_t block_end, T*) {
      Sums& sums = sums_[detail::block_number(block)];
      sums = {};
      for_runs(frame_.arrived, block, block_end, [&](std::int64_t begin, std::int64_t end, bool) {
        for (std::int64_t i = begin; i < end; ++i) {
          const double d = static_cast<double>(fast[i]) - static_cast<double>(slow[i]);
          sums.slope += d * static_cast<double>(g0[i]);
          sums.bend += d * (static_cast<double>(gk[i]) - static_cast<double>(g0[i]));
        }
      });
    });
    slope_ = bend_ = 0;
    for (const Sums& sums : sums_) slope_ += sums.slope, bend_ += sums.bend;
  }

  struct Sums {
    double slope = 0, bend = 0;
  };
  const Frame& frame_;
  Numbers<T> at_slow_;
  std::vector<Sums> sums_;
  double slope_ = 0, bend_ = 0;  // d.g0, d.(gk - g0)
  int looks_ = 0;
};

/// alpha = 1.
template <class T>
struct Copy {
  static constexpr const char* kName = "pull";
  static constexpr std::array kNames = {"slow", "fast"};
  static constexpr auto kState = kNoState;
  void operator()(T& slow, T fast) const { slow = fast; }
};

template <class T>
class RunningLookahead : public Follower<T> {
 public:
  RunningLookahead(const LookaheadOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Follower<T>(std::move(inner)),
        options_(options),
        frame_(frame),
        cycle_(frame, options.state, this->inner()),
        mean_(options.workers, frame) {
    if (options.adaptive) adaptive_ = std::make_unique<AdaptiveAlpha<T>>(frame);
  }

  void begin(std::int64_t index) override {
    this->inner().begin(index);
    cycle_.count(whole(options_.k.at(index)));
    alpha_ = options_.alpha.at(index);
    alpha_low_ = options_.alpha_low.at(index);
    if (adaptive_) adaptive_->begin();
    mean_.begin(cycle_.is_sync());
    this->plan(cycle_.is_sync() || cycle_.is_watched(),
               cycle_.is_sync() && (adaptive_ || frame_.splits_syncs || mean_.is_due()));
  }

  void update(const Block<T>& block) override {
    cycle_.watch_before(block);
    Follower<T>::update(block);
  }

  /// The inner rule has moved the block.
  void act(const Block<T>& block) override {
    mean_.explain(block);
    cycle_.watch_after(block);
    if (!cycle_.is_sync()) return;
    T* const slow = cycle_.slow(block.begin);
    if (alpha_ == 1) {  // slow - (slow - fast) is not fast in floating point
      detail::copy_pass<T>(Copy<T>{}, slow, block.weight, block.size());
    } else {
      detail::formula_pass<T>(Pull<T>{coefficient<T>("alpha", alpha_)}, slow, block.weight, nullptr, block.size());
    }
    cycle_.land(block, alpha_);
  }

  bool look_before_act(const Look<T>& look) override {
    mean_.look(look);
    if (!adaptive_ || !cycle_.is_sync()) return false;
    if (adaptive_->look(look, cycle_.slow(0))) return true;
    mean_.average(adaptive_->slope());
    mean_.average(adaptive_->bend());
    alpha_ = adaptive_->alpha(alpha_low_);
    return false;
  }

  void end() override {
    this->inner().end();
    cycle_.report(alpha_);
    cycle_.end();
  }

  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override { cycle_.anchor(weight, begin, end); }
  void restart_cycles() override { cycle_.restart(); }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    cycle_.state(path, visitor);
    Follower<T>::state(path, visitor);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.number(path + "alpha", alpha_);
    mean_.measured(path, visitor);
    Follower<T>::measured(path, visitor);
  }
  T* evaluation_weights() override { return cycle_.slow(0); }
  bool is_at_sync() const override { return cycle_.counter() == 0; }
  bool needs_closure() const override { return adaptive_ != nullptr || this->inner().needs_closure(); }
  bool evaluates_late() const override { return (adaptive_ && cycle_.is_sync()) || this->inner().evaluates_late(); }
  bool moves_all() const override { return cycle_.is_sync() || this->inner().moves_all(); }
  void join(Roll<T>& roll) override {
    mean_.join(roll, "lookahead");
    cycle_.join(roll, "lookahead");
    this->inner().join(roll);
  }
  int next_sync() const override {
    if (this->inner().waits()) return this->inner().next_sync();
    return this->waits() && cycle_.is_sync() ? cycle_.level() : -1;
  }

 private:
  const LookaheadOptions& options_;
  const Frame& frame_;
  Cycle<T> cycle_;
  WorkerMean<T> mean_;
  std::unique_ptr<AdaptiveAlpha<T>> adaptive_;
  double alpha_ = 0, alpha_low_ = 0;
};

class LookaheadNode : public Combinator<LookaheadNode, LookaheadOptions, RunningLookahead> {
 public:
  static constexpr const char* kName = "lookahead";
  using Combinator::Combinator;
};

}  // namespace

Rule lookahead(const Rule& inner, const LookaheadOptions& options) { return combine<LookaheadNode>(options, inner); }

void detail::register_lookahead() { register_combinator<LookaheadNode>(); }

}  // namespace tandem
