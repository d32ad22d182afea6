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

Tensor GLU::forward(const Tensor& x) {
  const std::int64_t size = x.shape(options_.dim);
  if (size % 2 != 0) fail("glu", fmt::format("dim {} must be even", options_.dim), "x " + to_string(x.shape()));
  return slice(x, options_.dim, 0, size / 2) * sigmoid(slice(x, options_.dim, size / 2, size));
}
std::string GLU::describe() const { return fmt::format("GLU(dim {})", options_.dim); }

Tensor GELU::forward(const Tensor& x) { return gelu(x); }
Tensor SiLU::forward(const Tensor& x) { return silu(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Softplus::forward(const Tensor& x) { return softplus(x); }

}  // namespace tandem::nn
