// See flatten.h.
#include <tandem/autograd/ops.h>
#include <tandem/nn/flatten.h>

namespace tandem::nn {

Tensor Flatten::forward(const Tensor& x) { return flatten(x, options_.begin, options_.end); }

}  // namespace tandem::nn
