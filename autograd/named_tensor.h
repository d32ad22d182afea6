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

/// Copies of the values, without history and asking for no gradient: a snapshot, for load_state_dict to put back.
inline NamedTensors clone(const NamedTensors& tensors) {
  NamedTensors copy;
  copy.reserve(tensors.size());
  for (const NamedTensor& t : tensors)
    copy.push_back({t.name, t.tensor.defined() ? Tensor(t.tensor.value().clone()) : Tensor()});
  return copy;
}

}  // namespace tandem
