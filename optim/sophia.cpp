// Sophia at work: Hutchinson's estimate from a gradient elsewhere, then the formula. See sophia.h.
#include <tandem/optim/sophia.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/draws.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/running_leaf.h>

namespace tandem {
namespace {

template <class T>
struct Sophia {
  using Options = SophiaOptions;
  static constexpr const char* kName = "sophia";
  static constexpr std::array kState = {State{"exp_avg", Role::first_moment}, State{"hessian"}, State{"estimate"}};
  T lr, kept, beta1, one_minus_beta1, beta2, one_minus_beta2, gamma, eps;

  Sophia(const Options& h, Step t)
      : lr(coefficient<T>("lr", h.lr(t))),
        kept(coefficient<T>("1 - lr weight_decay", 1 - h.lr(t) * h.weight_decay(t))),
        beta1(coefficient<T>("beta1", h.beta1(t))),
        one_minus_beta1(coefficient<T>("1 - beta1", 1 - h.beta1(t))),
        beta2(coefficient<T>("beta2", t.index % h.every == 0 ? h.beta2(t) : 1)),
        one_minus_beta2(coefficient<T>("1 - beta2", t.index % h.every == 0 ? 1 - h.beta2(t) : 0)),
        gamma(coefficient<T>("gamma", h.gamma(t))),
        eps(coefficient<T>("eps", h.eps(t))) {}

  void operator()(T& w, T g, T& m, T& h, T& estimate) const {
    using std::max;
    using std::min;
    m = beta1 * m + one_minus_beta1 * g;
    h = beta2 * h + one_minus_beta2 * estimate;
    w = kept * w - lr * max(T(-1), min(T(1), m / max(gamma * h, eps)));
  }
};

template <class T>
class RunningSophia : public RunningLeaf<Sophia<T>, T> {
 public:
  using Base = RunningLeaf<Sophia<T>, T>;
  RunningSophia(SophiaOptions& options, const Frame& frame) : Base(options, frame), draws_(frame), point_(frame) {}

  void begin(std::int64_t index) override {
    index_ = index;
    has_asked_ = false;
    Base::begin(index);
  }
  bool looks() const override { return is_measured(); }
  bool needs_closure() const override { return true; }
  bool look(const Look<T>& look) override {
    if constexpr (!std::is_same_v<T, Traced>) {
      if (!is_measured()) return false;
      const SophiaOptions& options = this->options();
      const T radius = static_cast<T>(options.radius.at(index_));
      T* const u = estimate();
      if (!has_asked_) {
        std::copy(look.weight, look.weight + this->frame().size, point_.at(0));
        draws_.normal(options.seed, index_, [&](std::int64_t i, double z) {
          u[i] = static_cast<T>(z);
          *point_.at(i) += radius * u[i];
        });
        look.seat.ask(point_.at(0));
        return has_asked_ = true;
      }
      const T* const there = static_cast<const T*>(look.seat.gradients());
      for_blocks<T>(this->frame().size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
        const T* const here = look.gradients.read(begin, end, scratch);
        for_runs(look.gradients.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
          for (std::int64_t i = from; i < to; ++i) u[i] *= (there[i] - here[i - begin]) / radius;
        });
      });
    }
    return false;
  }

  void state(const std::string& path, StateVisitor<T>& visitor) override {
    /// The estimate is made anew where it is used: no state.
    struct WithoutEstimate : StateVisitor<T> {
      WithoutEstimate(StateVisitor<T>& visitor, std::string estimate) : all(visitor), name(std::move(estimate)) {}
      void buffer(const std::string& path, Numbers<T>& numbers) override {
        if (path != name) all.buffer(path, numbers);
      }
      void counter(const std::string& path, std::int64_t& value) override { all.counter(path, value); }
      void counters(const std::string& path, std::vector<std::int64_t>& values) override { all.counters(path, values); }
      void array(const std::string& path, Array& array) override { all.array(path, array); }
      StateVisitor<T>& all;
      std::string name;
    } but(visitor, path + "estimate");
    Base::state(path, but);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.buffer(path + "estimate", this->numbers(2));
    Base::measured(path, visitor);
  }

 private:
  bool is_measured() const { return index_ % this->options().every == 0; }
  T* estimate() { return this->numbers(2).at(0); }

  Draws draws_;
  Numbers<T> point_;
  std::int64_t index_ = 0;
  bool has_asked_ = false;
};

struct SophiaNode : RuleNodeOf<SophiaNode, SophiaOptions> {
  static constexpr const char* kName = "sophia";
  explicit SophiaNode(SophiaOptions options = {}) : RuleNodeOf(std::move(options)) {}
  std::shared_ptr<RuleNode> clone() const override { return std::make_shared<SophiaNode>(*this); }
  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<RunningSophia<T>>(this->options_, frame);
  }
};

}  // namespace

Rule sophia(const SophiaOptions& options) { return combine<SophiaNode>(options); }

void detail::register_sophia() {
  register_rule(SophiaNode::kName, {},
                [](const std::vector<Rule>&) -> std::shared_ptr<RuleNode> { return std::make_shared<SophiaNode>(); });
}

}  // namespace tandem
