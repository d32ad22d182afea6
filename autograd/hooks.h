// The hooks of one Tensor: of a leaf in its TensorState, of a recorded result in its Node, which lives as long as the
// graph. Private to autograd. Read next: gradient_hook.h.
#pragma once

#include <utility>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

struct GradientHooks {
  std::vector<std::pair<std::uint64_t, std::function<Tensor(const Tensor&)>>> list;
  std::uint64_t next_id = 1;

  /// The gradient as the hooks leave it. Throws Error when one gives a gradient that does not fit.
  Tensor apply(Tensor gradient) const;
};

}  // namespace tandem
