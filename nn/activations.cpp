// See activations.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>

namespace tandem::nn {

Tensor ReLU::forward(const Tensor& x) { return relu(x); }

Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, options_.slope); }
std::string LeakyReLU::describe() const { return fmt::format("LeakyReLU(slope {})", options_.slope); }

Tensor ELU::forward(const Tensor& x) { return elu(x, options_.alpha); }
std::string ELU::describe() const { return fmt::format("ELU(alpha {})", options_.alpha); }

Tensor GELU::forward(const Tensor& x) { return gelu(x); }
Tensor SiLU::forward(const Tensor& x) { return silu(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Softplus::forward(const Tensor& x) { return softplus(x); }

}  // namespace tandem::nn
