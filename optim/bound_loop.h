// The outer loop at work: counts the cycle, keeps slow weights, and lets them step inside the inner rule's blocks.
// Lookahead is the case without an outer rule, where the pull is one formula. Private to optim/ (combinators.cpp).
#pragma once

#include <tandem/optim/adaptive_alpha.h>
#include <tandem/optim/leaf.h>
#include <tandem/optim/lookahead.h>
#include <tandem/optim/watch.h>

namespace tandem {

/// Mixes a first moment with its value at the last sync.
template <class T>
struct Interpolate {
  static constexpr std::array<int, 0> kState{};
  T alpha, one_minus_alpha;
  void operator()(T& now, T last) const { now = alpha * now + one_minus_alpha * last; }
};

/// slow - fast, the gradient that the outer rule sees.
template <class T>
struct PseudoGradient {
  static constexpr std::array<int, 0> kState{};
  void operator()(T& difference, T fast) const { difference -= fast; }
};

template <class T>
class BoundLoop : public Wrapper<T> {
 public:
  /// The options belong to the node. `outer` is null for lookahead; alpha is the pull, or the mix of interpolation;
  /// alpha_low is null unless the pull is adaptive; outer_lr is the outer rule's, for reports, or null.
  BoundLoop(const std::int64_t& k, const Schedule& alpha, InnerState state, std::unique_ptr<Bound<T>> inner,
            std::unique_ptr<Bound<T>> outer, const Frame& frame, const Schedule* alpha_low = nullptr,
            const Schedule* outer_lr = nullptr, std::unique_ptr<const Frame> outer_frame = nullptr)
      : Wrapper<T>(std::move(inner)),
        k_(k),
        alpha_(alpha),
        outer_lr_(outer_lr),
        outer_frame_(std::move(outer_frame)),
        state_(state),
        outer_(std::move(outer)),
        frame_(frame) {
    if (alpha_low != nullptr) adaptive_ = std::make_unique<AdaptiveAlpha<T>>(*alpha_low, frame);
    slow_array_ = Array::zeros({frame.size}, frame.dtype);
    slow_ = slow_array_.template data<T>();
    if (state_ != InnerState::interpolate) return;
    this->inner().first_moments("inner/", moments_);
    for (std::size_t i = 0; i < moments_.size(); ++i) last_.push_back(Array::zeros({frame.size}, frame.dtype));
  }

  void prepare(std::int64_t index) override {
    this->inner().prepare(index);
    inner_phases_ = this->inner().phases();
    is_sync_ = ++counter_ >= k_;
    outer_phases_ = 0;
    if (!is_sync_) return;
    index_ = index;
    alpha_now_ = alpha_.at(index);
    if (frame_.splits_syncs) outer_phases_ = 1;
    if (adaptive_) {  // a phase of its own: alpha depends on the fast weights of all blocks
      alpha_low_now_ = adaptive_->low(index);
      outer_phases_ = 1;
    }
    if (!outer_) return;
    outer_->prepare(index);
    // An outer rule that measures needs the pseudo-gradients of all blocks first: phases of its own.
    if (outer_->measures() || outer_->phases() > 1) outer_phases_ = outer_->phases();
  }

  int phases() const override { return inner_phases_ + outer_phases_; }
  bool measures() const override { return this->inner().measures() || outer_phases_ > 0; }

  void measure(const T* weight, const GradientSource<T>& source, int phase) override {
    if (phase < inner_phases_) return this->inner().measure(weight, source, phase);
    if (adaptive_) return void(alpha_now_ = adaptive_->choose(slow_, weight, alpha_low_now_));
    if (outer_) outer_->measure(slow_, PseudoSource(slow_, weight, frame_.all), phase - inner_phases_);
  }

  void update(const Block<T>& block, int phase) override {
    if (phase < inner_phases_) {
      if (frame_.watch == nullptr || level_ < 0) {
        this->inner().update(block, phase);
      } else {
        watch_inner(block, phase);
      }
    }
    if (!is_sync_ || phase < inner_phases_ - (outer_phases_ == 0 ? 1 : 0)) return;
    step_slow(block, outer_phases_ == 0 ? 0 : phase - inner_phases_);
    if (phase + 1 == phases()) sync(block);
  }

  void finish() override {
    this->inner().finish();
    if (frame_.watch != nullptr && level_ >= 0) report();
    if (!is_sync_) return;
    if (outer_) outer_->finish();
    counter_ = 0;
    is_sync_ = false;
    this->inner().restart_cycles();
    if (state_ == InnerState::reset) this->inner().restart_count();
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    this->inner().clear(begin, end);
    if (outer_) outer_->clear(begin, end);
  }
  void restart_count() override {
    this->inner().restart_count();
    if (outer_) outer_->restart_count();
  }

  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override {
    std::copy(weight + begin, weight + end, slow_ + begin);
    if (outer_) outer_->anchor(slow_, begin, end);
    remember(begin, end);
    this->inner().anchor(weight, begin, end);
  }
  void restart_cycles() override {
    counter_ = 0;
    this->inner().restart_cycles();
    if (outer_) outer_->restart_cycles();
  }
  void restart_averages() override {
    this->inner().restart_averages();
    if (outer_) outer_->restart_averages();
  }

  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    this->inner().first_moments(path + "inner/", moments);
    if (outer_) outer_->first_moments(path + "outer/", moments);
  }

  void state(const std::string& path, StateVisitor<T>& visitor) override {
    visitor.buffer(path + "slow", slow_array_);
    visitor.counter(path + "counter", counter_);
    for (std::size_t i = 0; i < moments_.size(); ++i) visitor.buffer(path + "last/" + moments_[i].path, last_[i]);
    this->inner().state(path + "inner/", visitor);
    if (outer_) outer_->state(path + "outer/", visitor);
  }

  T* evaluation_weights() override { return slow_; }
  bool is_at_sync() const override { return counter_ == 0; }
  bool needs_closure() const override { return adaptive_ != nullptr || this->inner().needs_closure(); }
  bool moves_all() const override { return is_sync_ || this->inner().moves_all(); }

  void join_report(std::vector<const char*>& loops) override {
    level_ = static_cast<int>(loops.size());
    loops.push_back(outer_ ? "outer_loop" : "lookahead");
    this->inner().join_report(loops);
  }
  int sync_before(int phase) const override {
    if (phase < inner_phases_) return this->inner().sync_before(phase);
    return is_sync_ && outer_phases_ > 0 && phase == inner_phases_ ? level_ : -1;
  }

 private:
  /// Reads slow - fast.
  class PseudoSource : public GradientSource<T> {
   public:
    PseudoSource(const T* slow, const T* fast, const std::vector<Interval>& runs)
        : slow_(slow), fast_(fast), runs_(runs) {}
    const T* read(std::int64_t begin, std::int64_t end, T* scratch) const override {
      std::copy(slow_ + begin, slow_ + end, scratch);
      detail::formula_pass<T>(PseudoGradient<T>{}, scratch, fast_ + begin, nullptr, end - begin);
      return scratch;
    }
    const std::vector<Interval>& runs() const override { return runs_; }

   private:
    const T *slow_, *fast_;
    const std::vector<Interval>& runs_;
  };

  /// The inner rule's update, and how far it has come from the slow weights.
  void watch_inner(const Block<T>& block, int phase) {
    if (level_ == 0) {
      detail::watch_update(frame_, block, phase, inner_phases_, [&] { this->inner().update(block, phase); });
    } else {
      this->inner().update(block, phase);
    }
    if (phase + 1 < inner_phases_) return;
    LevelWatch& level = frame_.watch->levels[static_cast<std::size_t>(level_)];
    level.distance[static_cast<std::size_t>(block.begin / kBlock)] =
        detail::squared_distance(frame_, block.begin, block.end, static_cast<const T*>(block.weight + block.begin),
                                 static_cast<const T*>(slow_ + block.begin));
  }

  void report() const {
    LevelWatch& level = frame_.watch->levels[static_cast<std::size_t>(level_)];
    level.synced = is_sync_;
    level.alpha = std::numeric_limits<double>::quiet_NaN();
    if (!is_sync_) return;
    if (!outer_) level.alpha = alpha_now_;
    if (outer_lr_ != nullptr) level.alpha = outer_lr_->at(index_);
  }

  void step_slow(const Block<T>& block, int outer_phase) {
    const std::int64_t begin = block.begin, n = block.end - block.begin;
    if (!outer_) {
      if (alpha_now_ == 1) {  // slow - (slow - fast) is not fast in floating point
        std::copy(block.weight + begin, block.weight + block.end, slow_ + begin);
      } else {
        detail::formula_pass<T>(Pull<T>{static_cast<T>(alpha_now_)}, slow_ + begin, block.weight + begin, nullptr, n);
      }
      return;
    }
    const T* gradient = block.scratch;
    if (outer_phase == 0) {
      gradient = PseudoSource(slow_, block.weight, frame_.all).read(begin, block.end, block.scratch);
    }
    outer_->update({begin, block.end, slow_, gradient, &frame_.all, block.scratch}, outer_phase);
  }

  /// Slow weights have stepped: the fast ones start from them, and so does everything inside.
  void sync(const Block<T>& block) {
    const std::int64_t begin = block.begin, end = block.end;
    std::copy(slow_ + begin, slow_ + end, block.weight + begin);
    if (state_ == InnerState::reset) this->inner().clear(begin, end);
    const Interpolate<T> interpolate{static_cast<T>(alpha_now_), static_cast<T>(1 - alpha_now_)};
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      detail::formula_pass<T>(interpolate, moments_[i].data + begin, last_[i].template data<T>() + begin, nullptr,
                              end - begin);
    }
    remember(begin, end);
    this->inner().anchor(block.weight, begin, end);
  }

  void remember(std::int64_t begin, std::int64_t end) {
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      std::copy(moments_[i].data + begin, moments_[i].data + end, last_[i].template data<T>() + begin);
    }
  }

  const std::int64_t& k_;
  const Schedule& alpha_;
  const Schedule* outer_lr_;
  std::unique_ptr<const Frame> outer_frame_;  // what the outer rule is bound to
  const InnerState state_;
  std::unique_ptr<Bound<T>> outer_;
  std::unique_ptr<AdaptiveAlpha<T>> adaptive_;
  const Frame& frame_;

  Array slow_array_;
  T* slow_ = nullptr;
  std::vector<Moment<T>> moments_;  // interpolate: the inner rule's, alive
  std::vector<Array> last_;         // and as they were at the last sync
  std::int64_t counter_ = 0;        // steps since the last sync
  bool is_sync_ = false;
  int inner_phases_ = 1, outer_phases_ = 0;
  double alpha_now_ = 0, alpha_low_now_ = 0;
  std::int64_t index_ = 0;  // of the last sync's step
  int level_ = -1;          // among the loops of a report, from outermost
};

}  // namespace tandem
