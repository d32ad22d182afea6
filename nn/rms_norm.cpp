// See rms_norm.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/rms_norm.h>

namespace tandem::nn {

RMSNorm::RMSNorm(const Options& options) : options_(options) {
  if (options.width < 1) fail("RMSNorm", "width must be at least 1", fmt::format("{} given", options.width));
  if (!(options.epsilon > 0)) fail("RMSNorm", "epsilon must be positive", fmt::format("{} given", options.epsilon));
  if (options.affine) weight = parameter("weight", Array::full({options.width}, 1));
}

Tensor RMSNorm::forward(const Tensor& x) {
  if (x.rank() < 1 || x.shape(-1) != options_.width) {
    fail("rms_norm", fmt::format("the last dim of x must be {}", options_.width), "x " + to_string(x.shape()));
  }
  const Tensor y = x * pow(mean(square(x), {-1}, /*keep=*/true) + options_.epsilon, -0.5);
  return weight.defined() ? y * weight : y;
}

std::string RMSNorm::describe() const { return fmt::format("RMSNorm({})", options_.width); }

}  // namespace tandem::nn
