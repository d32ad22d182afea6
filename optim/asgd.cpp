// A leaf for the step, and the average that other rules have round them. See asgd.h.
#include <tandem/optim/asgd.h>

#include <algorithm>
#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/running_average.h>
#include <tandem/optim/leaf.h>

namespace tandem {
namespace {

template <class T>
struct AsgdStep {
  using Options = AsgdOptions;
  static constexpr const char* kName = "asgd";
  static constexpr auto kState = kNoState;
  T keep, eta, weight_decay;

  AsgdStep(const Options& h, Step t) {
    const double lr = h.lr(t), lambd = h.lambd(t);
    const double size = lr / std::pow(1 + lambd * lr * static_cast<double>(t.count - 1), h.alpha(t));
    keep = coefficient<T>("1 - lambd eta", 1 - lambd * size);
    eta = coefficient<T>("eta", size);
    weight_decay = coefficient<T>("weight_decay", h.weight_decay(t));
  }
  void operator()(T& w, T g) const {
    g += weight_decay * w;
    w = keep * w - eta * g;
  }
};

template <class T>
class RunningAsgd : public RunningAverage<T> {
 public:
  RunningAsgd(AsgdOptions& options, const Frame& frame)
      : RunningAverage<T>(std::make_unique<RunningLeaf<AsgdStep<T>, T>>(options, frame), frame), options_(options) {}

 protected:
  bool takes(std::int64_t) const override { return true; }
  double part(std::int64_t index, std::int64_t n) const override {
    return 1 / static_cast<double>(std::max<std::int64_t>(1, n - 1 - whole(options_.t0.at(index))));
  }

 private:
  const AsgdOptions& options_;
};

struct AsgdNode : RuleNodeOf<AsgdNode, AsgdOptions> {
  static constexpr const char* kName = "asgd";
  explicit AsgdNode(AsgdOptions options = {}) : RuleNodeOf(std::move(options)) {}
  std::shared_ptr<RuleNode> clone() const override { return std::make_shared<AsgdNode>(*this); }
  template <class T>
  std::unique_ptr<Running<T>> bind(const Frame& frame) {
    return std::make_unique<RunningAsgd<T>>(this->options_, frame);
  }
};

}  // namespace

Rule asgd(const AsgdOptions& options) { return combine<AsgdNode>(options); }

void detail::register_asgd() {
  register_rule(AsgdNode::kName, {},
                [](const std::vector<Rule>&) -> std::shared_ptr<RuleNode> { return std::make_shared<AsgdNode>(); });
}

}  // namespace tandem
