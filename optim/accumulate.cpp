// A sum of gradients, and an inner rule that takes part in every n-th step only. The inner rule has a frame of its own,
// in which all gradients of the n steps have arrived. See accumulate.h.
#include <tandem/optim/accumulate.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

template <class T>
struct Add {
  static constexpr const char* kName = "accumulate";
  static constexpr std::array kNames = {"sum", "g"};
  static constexpr auto kState = kNoState;
  void operator()(T& sum, T g) const { sum += g; }
};

template <class T>
struct Mean {
  static constexpr const char* kName = "accumulate";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr std::array kState = {State{"sum"}};
  T n;
  void operator()(T& mean, T g, T& sum) const { mean = (sum + g) / n; }
};

/// Of gradients that arrived before this step alone.
template <class T>
struct MeanOfSum {
  static constexpr const char* kName = "accumulate";
  static constexpr std::array kNames = {"g", "sum"};
  static constexpr auto kState = kNoState;
  T n;
  void operator()(T& mean, T sum) const { mean = sum / n; }
};

template <class T>
class RunningAccumulate : public Wrapper<T> {
 public:
  RunningAccumulate(const AccumulateOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame,
                    std::unique_ptr<Frame> own)
      : Wrapper<T>(std::move(inner)),
        options_(options),
        frame_(frame),
        own_(std::move(own)),
        sum_(frame),
        arrived_(frame.tensors.size()) {
    own_->has_gradient.assign(arrived_.size(), 0);
    own_->arrived.reserve(arrived_.size());
  }

  void begin(std::int64_t index) override {
    if (taken_ == 0) std::fill(arrived_.begin(), arrived_.end(), 0);
    is_first_ = taken_ == 0;
    n_ = ++taken_;
    for (std::size_t t = 0; t < arrived_.size(); ++t) arrived_[t] += frame_.has_gradient[t];
    is_step_ = taken_ >= options_.n;
    if (!is_step_) return;
    taken_ = 0;
    own_->watch = frame_.watch;
    own_->splits_syncs = frame_.splits_syncs;
    for (std::size_t t = 0; t < arrived_.size(); ++t) own_->has_gradient[t] = arrived_[t] > 0 ? 1 : 0;
    own_->arrived = frame_.arrived;
    has_earlier_ = own_->has_gradient != frame_.has_gradient;
    if (has_earlier_) {
      own_->arrived.clear();
      for (std::size_t t = 0; t < arrived_.size(); ++t) {
        if (arrived_[t] > 0) own_->arrived.push_back(frame_.tensors[t]);
      }
    }
    this->inner().begin(index);
  }
  bool look(const Look<T>& look) override {
    if (!is_step_) return false;
    return this->inner().look({look.weight, Means(look.gradients, *this), look.seat});
  }
  void update(const Block<T>& block) override {
    if (is_step_) {
      Block<T> changed = block;
      changed.gradient = mean(block.gradient, frame_.arrived, block.begin, block.end, block.scratch);
      changed.runs = &own_->arrived;
      return this->inner().update(changed);
    }
    if (is_first_) std::fill(sum_.at(block.begin), sum_.at(block.end), T(0));
    for_runs(frame_.arrived, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool) {
      detail::formula_pass<T>(Add<T>{}, sum_.at(begin), block.gradient + (begin - block.begin), nullptr, end - begin);
    });
  }
  void resume(const Block<T>& block) override {
    Block<T> changed = block;
    changed.runs = &own_->arrived;
    this->inner().resume(changed);
  }
  bool waits() const override { return is_step_ && this->inner().waits(); }
  void settle() override {
    if (is_step_) this->inner().settle();
  }
  void end() override {
    if (is_step_) this->inner().end();
  }
  bool moves_all() const override { return is_step_ && (has_earlier_ || this->inner().moves_all()); }
  bool evaluates_late() const override { return is_step_ && this->inner().evaluates_late(); }
  int next_sync() const override { return is_step_ ? this->inner().next_sync() : -1; }
  void recall() override {
    if (is_step_) this->inner().recall();
  }
  void clear(std::int64_t begin, std::int64_t end) override {
    std::fill(sum_.at(begin), sum_.at(end), T(0));
    this->inner().clear(begin, end);
  }
  void restart_count() override {
    taken_ = 0;
    this->inner().restart_count();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    visitor.buffer(path + "sum", sum_);
    visitor.counter(path + "taken", taken_);
    visitor.counters(path + "arrived", arrived_);
    Wrapper<T>::state(path, visitor);
  }
  void join(Roll<T>& roll) override {
    roll.changes_gradients = true;
    Wrapper<T>::join(roll);
  }

 private:
  /// The means on [begin, end): `gradient` counts where this step's arrived. In the first of the n steps the sum is
  /// old.
  const T* mean(const T* gradient, const std::vector<Interval>& runs, std::int64_t begin, std::int64_t end,
                T* scratch) const {
    const T n = coefficient<T>("n", static_cast<double>(n_));
    std::int64_t done = begin;
    const auto without = [&](std::int64_t to) {
      if (is_first_) {
        std::fill(scratch + (done - begin), scratch + (to - begin), T(0));
      } else {
        detail::formula_pass<T>(MeanOfSum<T>{n}, scratch + (done - begin), sum_.at(done), nullptr, to - done);
      }
    };
    for_runs(runs, begin, end, [&](std::int64_t from, std::int64_t to, bool) {
      without(from);
      T* const state[] = {sum_.at(from)};
      if (is_first_) {  // n = 1
        if (gradient != scratch)
          std::copy(gradient + (from - begin), gradient + (to - begin), scratch + (from - begin));
      } else {
        detail::formula_pass<T>(Mean<T>{n}, scratch + (from - begin), gradient + (from - begin), state, to - from);
      }
      done = to;
    });
    without(end);
    return scratch;
  }

  class Means : public GradientSource<T> {
   public:
    Means(const GradientSource<T>& source, const RunningAccumulate& sum) : source_(source), sum_(sum) {}
    const T* read(std::int64_t begin, std::int64_t end, T* scratch) const override {
      return sum_.mean(source_.read(begin, end, scratch), source_.runs(), begin, end, scratch);
    }
    const std::vector<Interval>& runs() const override { return sum_.own_->arrived; }

   private:
    const GradientSource<T>& source_;
    const RunningAccumulate& sum_;
  };

  const AccumulateOptions& options_;
  const Frame& frame_;
  std::unique_ptr<Frame> own_;  // of the inner rule
  Numbers<T> sum_;
  std::vector<std::int64_t> arrived_;  // gradients of each parameter in these n steps
  std::int64_t taken_ = 0;             // steps whose gradients are in the sum
  std::int64_t n_ = 0;                 // with this one
  bool is_first_ = false, is_step_ = false;
  bool has_earlier_ = false;  // parameters move that have no gradient in this step
};

class AccumulateNode : public RuleNodeOf<AccumulateNode, AccumulateOptions> {
 public:
  static constexpr const char* kName = "accumulate";
  AccumulateNode(AccumulateOptions options, const Rule& inner)
      : RuleNodeOf(std::move(options)), inner_(inner.node().clone()) {}

  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<AccumulateNode>(*this);
    copy->inner_ = inner_->clone();
    return copy;
  }
  std::vector<RuleNode::Child> children() override { return {{"inner", inner_.get()}}; }

  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    auto own = std::make_unique<Frame>(frame);
    std::unique_ptr<Running<T>> inner = bind_as<T>(*inner_, *own);
    return std::make_unique<RunningAccumulate<T>>(this->options_, std::move(inner), frame, std::move(own));
  }

 private:
  std::shared_ptr<RuleNode> inner_;
};

}  // namespace

Rule accumulate(const Rule& inner, const AccumulateOptions& options) { return combine<AccumulateNode>(options, inner); }

void detail::register_accumulate() { register_combinator<AccumulateNode>(); }

}  // namespace tandem
