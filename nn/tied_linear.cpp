// See tied_linear.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/tied_linear.h>

namespace tandem::nn {

TiedLinear::TiedLinear(const Options& options, const Tensor& shared) {
  if (!shared.defined() || shared.rank() != 2) {
    fail("TiedLinear", "the weight must be a matrix [out, in]",
         shared.defined() ? "weight " + to_string(shared.shape()) : "there is none");
  }
  const bool is_trained = shared.requires_grad();
  weight = parameter("weight", shared);
  weight.set_requires_grad(is_trained);
  if (options.bias) bias = parameter("bias", Array::zeros({shared.shape(0)}, shared.dtype()));
}

Tensor TiedLinear::forward(const Tensor& x) { return linear(x, weight, bias); }

std::string TiedLinear::describe() const {
  return fmt::format("TiedLinear({} -> {}{})", weight.shape(1), weight.shape(0), bias.defined() ? "" : ", no bias");
}

std::int64_t TiedLinear::multiply_adds(const Shape&, const Shape& y) const { return y.count() * weight.shape(1); }

}  // namespace tandem::nn
