// See synchronise.h.
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/synchronise.h>

namespace tandem::nn {

void synchronise_batch_norm(Module& model, const std::shared_ptr<Workers>& workers) {
  for (const NamedModule& m : model.modules())
    if (auto* norm = dynamic_cast<BatchNorm2d*>(m.module)) norm->synchronise(workers);
}

}  // namespace tandem::nn
