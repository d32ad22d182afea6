// See running_statistics.h.
#include <string>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/behaviour_scope.h>
#include <tandem/nn/running_statistics.h>

namespace tandem::nn {

namespace {

/// Ends cumulative averages, also when a batch throws.
class CumulativeScope {
 public:
  explicit CumulativeScope(const std::vector<BatchNorm2d*>& norms) : norms_(norms) {
    for (BatchNorm2d* norm : norms_) norm->reset_running_statistics(/*cumulative=*/true);
  }
  ~CumulativeScope() {
    for (BatchNorm2d* norm : norms_) norm->end_cumulative();
  }
  CumulativeScope(const CumulativeScope&) = delete;
  CumulativeScope& operator=(const CumulativeScope&) = delete;

 private:
  const std::vector<BatchNorm2d*>& norms_;
};

}  // namespace

void reestimate_running_statistics(Module& model, const std::function<void()>& run_batches) {
  std::vector<BatchNorm2d*> norms;
  std::vector<std::string> names;
  for (const NamedModule& m : model.modules()) {
    if (auto* norm = dynamic_cast<BatchNorm2d*>(m.module)) {
      norms.push_back(norm);
      names.push_back(m.name);
    }
  }
  if (norms.empty()) return;

  const BehaviourScope behaviour(model);
  const CumulativeScope cumulative(norms);
  const NoGradGuard no_grad;
  model.evaluate();
  for (BatchNorm2d* norm : norms) norm->train();
  run_batches();
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (norms[i]->num_batches_tracked.item() == 0) {
      fail("reestimate_running_statistics", "no batch reached \"" + names[i] + "\"", "", "run at least one");
    }
  }
}

}  // namespace tandem::nn
