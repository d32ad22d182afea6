// See swiglu.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/swiglu.h>

namespace tandem::nn {

Tensor SwiGLU::forward(const Tensor& x) { return down_(silu(gate_(x)) * up_(x)); }

std::string SwiGLU::describe() const { return fmt::format("SwiGLU({}, hidden {})", options_.width, options_.hidden); }

}  // namespace tandem::nn
