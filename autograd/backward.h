// Backward over the recorded graph: iterative, in reverse topological order, freeing as it goes.
// Tensor::backward accumulates into leaves; grad() returns gradients, also recorded ones. Read next: backward.cpp.
#pragma once

#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

struct GradOptions {
  bool create_graph = false;    ///< record the backward pass, so that its results can be differentiated
  bool retain_graph = false;    ///< keep saved values; implied by create_graph
  bool allow_unused = false;    ///< an input that outputs do not depend on gives an undefined Tensor instead of Error
  std::vector<Tensor> seeds{};  ///< dy of each output; default: 1 for scalars
};

/// d(sum of outputs . seeds) / d inputs, without touching any leaf's grad(). Inputs may be intermediate Tensors.
/// Results may share memory with each other and with the seeds: clone() one before writing into it.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {});

}  // namespace tandem
