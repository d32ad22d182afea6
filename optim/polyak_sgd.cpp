// A leaf that looks for its step size before the sweep. See polyak_sgd.h.
#include <tandem/optim/polyak_sgd.h>

#include <algorithm>
#include <cmath>

#include <tandem/core/error.h>
#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/norm_of_gradients.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

template <class T>
struct Descend {
  static constexpr const char* kName = "polyak_sgd";
  static constexpr auto kState = kNoState;
  T size;
  void operator()(T& w, T g) const { w -= size * g; }
};

template <class T>
class RunningPolyakSgd : public Running<T> {
 public:
  RunningPolyakSgd(const PolyakSgdOptions& options, const Frame& frame) : options_(options), norm_(frame) {}

  void begin(std::int64_t index) override {
    index_ = index;
    norm_.begin();
  }
  bool looks() const override { return true; }
  bool look(const Look<T>& look) override {
    if (!norm_.look(look)) return true;
    const double loss = look.seat.step_loss(), norm = norm_.value(), f_min = options_.f_min.at(index_);
    if (std::isnan(loss) && !std::isnan(norm)) fail("polyak_sgd", "the loss is NaN", {}, "return it from the closure");
    const double size = norm == 0 ? 0 : (loss - f_min) / (norm * norm + options_.eps.at(index_));  // NaN stays NaN
    size_ = options_.lr.at(index_) * std::clamp(size, 0.0, options_.max.at(index_));
    return false;
  }
  void update(const Block<T>& block) override {
    for_runs(*block.runs, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool) {
      const std::int64_t at = begin - block.begin;
      const Descend<T> descend{coefficient<T>("size", size_)};
      detail::formula_pass<T>(descend, block.weight + at, block.gradient + at, nullptr, end - begin);
    });
  }
  void clear(std::int64_t, std::int64_t) override {}
  void restart_count() override {}
  void anchor(const T*, std::int64_t, std::int64_t) override {}
  void restart_cycles() override {}
  void state(const std::string&, StateVisitor<T>&) override {}
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.number(path + "norm", norm_.value());
    visitor.number(path + "size", size_);
  }
  bool needs_closure() const override { return true; }
  void join(Roll<T>& roll) override {
    norm_.join("polyak_sgd", roll);
    roll.changes_gradients = roll.changes_updates = true;  // this leaf measures neither
  }

 private:
  const PolyakSgdOptions& options_;
  NormOfGradients<T> norm_;
  std::int64_t index_ = 0;
  double size_ = 0;
};

struct PolyakSgdNode : RuleNodeOf<PolyakSgdNode, PolyakSgdOptions> {
  static constexpr const char* kName = "polyak_sgd";
  explicit PolyakSgdNode(PolyakSgdOptions options = {}) : RuleNodeOf(std::move(options)) {}
  std::shared_ptr<RuleNode> clone() const override { return std::make_shared<PolyakSgdNode>(*this); }
  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<RunningPolyakSgd<T>>(this->options_, frame);
  }
};

}  // namespace

Rule polyak_sgd(const PolyakSgdOptions& options) { return combine<PolyakSgdNode>(options); }

void detail::register_polyak_sgd() {
  register_rule(PolyakSgdNode::kName, {}, [](const std::vector<Rule>&) -> std::shared_ptr<RuleNode> {
    return std::make_shared<PolyakSgdNode>();
  });
}

}  // namespace tandem
