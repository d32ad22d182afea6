// See group_norm.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/group_norm.h>

namespace tandem::nn {

GroupNorm::GroupNorm(const Options& options) : options_(options) {
  if (options.channels < 1 || options.groups < 1 || options.channels % options.groups != 0) {
    fail("GroupNorm", "groups must divide channels",
         fmt::format("groups {}, channels {}", options.groups, options.channels));
  }
  if (!(options.epsilon > 0)) fail("GroupNorm", "epsilon must be positive", fmt::format("{} given", options.epsilon));
  weight = parameter("weight", Array::full({options.channels}, 1));
  bias = parameter("bias", Array::zeros({options.channels}));
}

Tensor GroupNorm::forward(const Tensor& x) {
  return group_norm(x, weight, bias, {.groups = options_.groups, .epsilon = options_.epsilon});
}

std::string GroupNorm::describe() const {
  return fmt::format("GroupNorm({} in {} groups)", options_.channels, options_.groups);
}

}  // namespace tandem::nn
