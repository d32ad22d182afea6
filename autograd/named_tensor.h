// NamedTensor: a parameter or buffer with its path, "layers.0.conv1.weight". What models list, optimizers bind and
// files store. It stands here because nn and optim both speak it and neither knows the other.
#pragma once

#include <string>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

using NamedTensors = std::vector<NamedTensor>;

}  // namespace tandem
