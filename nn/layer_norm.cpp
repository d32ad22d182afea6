// See layer_norm.h.
#include <fmt/format.h>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/nn/layer_norm.h>

namespace tandem::nn {

LayerNorm::LayerNorm(const Options& options) : options_(options) {
  if (options.width < 1) fail("LayerNorm", "width must be at least 1", fmt::format("{} given", options.width));
  if (!(options.epsilon > 0)) fail("LayerNorm", "epsilon must be positive", fmt::format("{} given", options.epsilon));
  if (!options.affine) return;
  weight = parameter("weight", Array::full({options.width}, 1));
  bias = parameter("bias", Array::zeros({options.width}));
}

Tensor LayerNorm::forward(const Tensor& x) {
  if (x.rank() < 1 || x.shape(-1) != options_.width) {
    fail("layer_norm", fmt::format("the last dim of x must be {}", options_.width), "x " + to_string(x.shape()));
  }
  return layer_norm(x, weight, bias, {.epsilon = options_.epsilon});
}

std::string LayerNorm::describe() const {
  return fmt::format("LayerNorm({}{})", options_.width, options_.affine ? "" : ", no weight");
}

}  // namespace tandem::nn
