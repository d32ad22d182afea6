// L-BFGS at work: the table of products, the recursion on numbers, the line search. See lbfgs.h.
#include <tandem/optim/lbfgs.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/products.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/watch.h>

namespace tandem {
namespace {

template <class T>
struct Advance {
  static constexpr const char* kName = "lbfgs";
  static constexpr std::array kState = {State{"direction"}};
  T t;
  void operator()(T& w, T, T& direction) const { w += t * direction; }
};

template <class T>
struct Keep {
  static constexpr const char* kName = "lbfgs";
  static constexpr std::array kNames = {"kept", "now"};
  static constexpr auto kState = kNoState;
  void operator()(T& kept, T now) const { kept = now; }
};

template <class T>
class RunningLbfgs : public Running<T> {
 public:
  RunningLbfgs(const LbfgsOptions& options, const Frame& frame)
      : options_(options),
        frame_(frame),
        products_(options.history),
        sums_(detail::block_number(frame.size + kBlock - 1), products_),
        s_new_(frame),
        y_new_(frame),
        direction_(frame),
        w_before_(frame),
        g_before_(frame) {
    for (std::int64_t i = 0; i < options.history; ++i) {
      s_.push_back(std::make_unique<Numbers<T>>(frame));
      y_.push_back(std::make_unique<Numbers<T>>(frame));
    }
    if (options.line_search) point_ = std::make_unique<Numbers<T>>(frame);
  }

  void begin(std::int64_t index) override {
    index_ = index;
    stage_ = Stage::measure;
    t_ = is_kept_ = 0;
    is_lost_ = false;
  }
  bool looks() const override { return true; }
  bool needs_closure() const override { return options_.line_search; }

  bool look(const Look<T>& look) override {
    if constexpr (!std::is_same_v<T, Traced>) {
      if (stage_ == Stage::measure) {
        measure(look);
        stage_ = Stage::meet;
      }
      if (stage_ == Stage::meet) {
        if (key_ >= 0 && !look.seat.is_complete(key_ + keys() - 1)) return true;
        conclude(look);
        stage_ = Stage::search;
        return options_.line_search && slope_ < 0 && ask(look);
      }
      if (!decreases(look)) return t_ != 0 && ask(look);
    }
    return false;
  }

  void update(const Block<T>& block) override {
    const std::int64_t b = block.begin;
    if (is_kept_ != 0) {
      detail::copy_pass<T>(Keep<T>{}, s_[slot(pairs_)]->at(b), s_new_.at(b), block.size());
      detail::copy_pass<T>(Keep<T>{}, y_[slot(pairs_)]->at(b), y_new_.at(b), block.size());
    }
    for_runs(*block.runs, b, block.end, [&](std::int64_t begin, std::int64_t end, bool) {
      T* const w = block.weight + (begin - b);
      const T* const g = block.gradient + (begin - b);
      detail::copy_pass<T>(Keep<T>{}, w_before_.at(begin), w, end - begin);
      detail::copy_pass<T>(Keep<T>{}, g_before_.at(begin), g, end - begin);
      T* const direction[] = {direction_.at(begin)};
      detail::formula_pass<T>(Advance<T>{coefficient<T>("t", t_)}, w, g, direction, end - begin);
    });
  }
  void end() override {
    ++steps_;
    if (is_kept_ != 0) ++pairs_;
    if (is_lost_) pairs_ = 0;
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    for (const auto* all : {&s_, &y_}) {
      for (const auto& one : *all) std::fill(one->at(begin), one->at(end), T(0));
    }
    for (Numbers<T>* one : {&w_before_, &g_before_}) std::fill(one->at(begin), one->at(end), T(0));
  }
  void restart_count() override { steps_ = pairs_ = 0; }
  void anchor(const T*, std::int64_t, std::int64_t) override {}
  void restart_cycles() override {}

  void state(const std::string& path, StateVisitor<T>& visitor) override {
    for (std::size_t i = 0; i < s_.size(); ++i) {
      visitor.buffer(path + "s" + std::to_string(i), *s_[i]);
      visitor.buffer(path + "y" + std::to_string(i), *y_[i]);
    }
    visitor.buffer(path + "w_before", w_before_);
    visitor.buffer(path + "g_before", g_before_);
    visitor.counter(path + "step", steps_);
    visitor.counter(path + "pairs", pairs_);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.number(path + "t", t_);
    visitor.number(path + "is_kept", is_kept_);
    visitor.buffer(path + "s", s_new_);
    visitor.buffer(path + "y", y_new_);
    visitor.buffer(path + "direction", direction_);
  }
  void join(Roll<T>& roll) override {
    key_ = static_cast<int>(roll.sums.size());
    roll.sums.insert(roll.sums.end(), static_cast<std::size_t>(keys()), "lbfgs");
    roll.changes_gradients = roll.changes_updates = true;  // this leaf measures neither
  }

 private:
  enum class Stage { measure, meet, search };

  int keys() const { return static_cast<int>(products_.size() * (products_.size() + 1) / 2); }
  std::size_t slot(std::int64_t pair) const { return static_cast<std::size_t>(pair % options_.history); }
  /// Pairs that are kept; age 1 is the newest of them, 0 the pair of this step.
  std::int64_t kept() const { return std::min(pairs_, options_.history); }
  const T* vector(std::int64_t i, std::int64_t begin, const T* gradient) const {
    if (i == 0) return gradient;
    const std::int64_t age = (i - 1) / 2;
    const bool is_s = i % 2 == 1;
    if (age == 0) return (is_s ? s_new_ : y_new_).at(begin);
    return (is_s ? s_ : y_)[slot(pairs_ - age)]->at(begin);
  }

  /// The pair of this step, and this group's products.
  void measure(const Look<T>& look) {
    const std::int64_t vectors = 2 * kept() + 3;
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const T* const gradient = look.gradients.read(begin, end, scratch);
      Products& sums = sums_[detail::block_number(begin)];
      sums.clear();
      std::fill(s_new_.at(begin), s_new_.at(end), T(0));
      std::fill(y_new_.at(begin), y_new_.at(end), T(0));
      for_runs(look.gradients.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        const T* const g = gradient + (from - begin);
        for (std::int64_t i = from; steps_ > 0 && i < to; ++i) {
          *s_new_.at(i) = look.weight[i] - *w_before_.at(i);
          *y_new_.at(i) = g[i - from] - *g_before_.at(i);
        }
        for (std::int64_t i = 0; i < vectors; ++i) {
          for (std::int64_t j = 0; j <= i; ++j)
            sums.at(i, j) += detail::dot_pass<T>(vector(i, from, g), vector(j, from, g), to - from);
        }
      });
    });
    int key = key_;
    for (std::int64_t i = 0; i < products_.size(); ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (const Products& part : sums_) sum += part.at(i, j);
        products_.at(i, j) = products_.at(j, i) = sum;
        if (key_ >= 0) look.seat.add(key++, {sum, 1});
      }
    }
  }

  /// The direction and its slope, the same numbers in all groups.
  void conclude(const Look<T>& look) {
    int key = key_;
    for (std::int64_t i = 0; key_ >= 0 && i < products_.size(); ++i) {
      for (std::int64_t j = 0; j <= i; ++j) products_.at(i, j) = products_.at(j, i) = look.seat.sum(key++).sum;
    }
    const bool is_curved = products_.is_curved(0);
    is_kept_ = is_curved ? 1 : 0;
    std::vector<double>& q = products_.direction(is_curved);
    slope_ = products_.product(0, q);
    bool has_pairs = is_curved;
    for (std::int64_t age = 1; age <= options_.history; ++age) has_pairs = has_pairs || products_.is_curved(age);
    if (!(slope_ < 0)) {  // no descent: along the gradient, or with a gradient of zero nowhere
      std::fill(q.begin(), q.end(), 0.0);
      q[0] = -1;
      slope_ = -products_.at(0, 0);
      has_pairs = false;
    }
    const double norm = std::sqrt(products_.at(0, 0));
    t_ = options_.lr.at(index_) * (has_pairs || norm <= 1 ? 1 : 1 / norm);
    evaluations_ = 0;
    const std::int64_t vectors = 2 * kept() + 3;
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const T* const gradient = look.gradients.read(begin, end, scratch);
      T* const direction = direction_.at(begin);
      std::fill(direction, direction + (end - begin), T(0));
      for_runs(look.gradients.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        for (std::int64_t j = 0; j < vectors; ++j) {
          const T* const x = vector(j, from, gradient + (from - begin));
          const T factor = static_cast<T>(q[static_cast<std::size_t>(j)]);
          T* const d = direction_.at(from);
          for (std::int64_t i = 0; factor != T(0) && i < to - from; ++i) d[i] += factor * x[i];
        }
      });
    });
  }

  bool ask(const Look<T>& look) {
    if (std::isnan(look.seat.step_loss()) && !std::isnan(slope_))
      fail("lbfgs", "the loss is NaN", {}, "return it from the closure");
    const T t = static_cast<T>(t_);
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T*) {
      for (std::int64_t i = begin; i < end; ++i) *point_->at(i) = look.weight[i] + t * *direction_.at(i);
    });
    look.seat.ask(point_->at(0));
    return true;
  }

  /// Whether the loss at t is low enough; otherwise the next t, 0 after the last.
  bool decreases(const Look<T>& look) {
    const double before = look.seat.step_loss(), loss = look.seat.loss(), expected = t_ * slope_;
    if (loss <= before + options_.c1.at(index_) * expected) return true;
    if (++evaluations_ >= options_.max_evaluations) {
      t_ = is_kept_ = 0;
      is_lost_ = true;
    } else if (!std::isfinite(loss)) {
      t_ *= 0.1;
    } else {
      t_ *= std::clamp(-expected / (2 * (loss - before - expected)), 0.1, 0.5);
    }
    return false;
  }

  const LbfgsOptions& options_;
  const Frame& frame_;
  Products products_;
  std::vector<Products> sums_;  // one a block
  Numbers<T> s_new_, y_new_, direction_, w_before_, g_before_;
  std::vector<std::unique_ptr<Numbers<T>>> s_, y_;  // a ring
  std::unique_ptr<Numbers<T>> point_;
  std::int64_t index_ = 0, evaluations_ = 0;
  std::int64_t steps_ = 0, pairs_ = 0;  // since they were forgotten
  double t_ = 0, slope_ = 0, is_kept_ = 0;
  int key_ = -1;
  Stage stage_ = Stage::measure;
  bool is_lost_ = false;
};

struct LbfgsNode : RuleNodeOf<LbfgsNode, LbfgsOptions> {
  static constexpr const char* kName = "lbfgs";
  explicit LbfgsNode(LbfgsOptions options = {}) : RuleNodeOf(std::move(options)) {}
  std::shared_ptr<RuleNode> clone() const override { return std::make_shared<LbfgsNode>(*this); }
  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<RunningLbfgs<T>>(this->options_, frame);
  }
};

}  // namespace

Rule lbfgs(const LbfgsOptions& options) { return combine<LbfgsNode>(options); }

void detail::register_lbfgs() {
  register_rule(LbfgsNode::kName, {},
                [](const std::vector<Rule>&) -> std::shared_ptr<RuleNode> { return std::make_shared<LbfgsNode>(); });
}

}  // namespace tandem
