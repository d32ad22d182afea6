// FiniteWatch: which layer was the first whose output is not finite. A training step looks only at what the whole model
// gives; the search through the layers follows when that is nan or inf, with the weights as they were in that step.
#pragma once

#include <string>

#include <tandem/core/array.h>
#include <tandem/nn/module.h>

namespace tandem::train {

/// True when no element is nan or infinite; always for whole numbers.
bool is_finite(const Array& array);

/// While it lives it looks at every output of `model`, until one is not finite.
class FiniteWatch {
 public:
  explicit FiniteWatch(nn::Module& model);
  FiniteWatch(const FiniteWatch&) = delete;
  FiniteWatch& operator=(const FiniteWatch&) = delete;

  /// What reads on from "the loss is nan: ": `layer "layer1.0.bn1" BatchNorm2d(16) is the first whose output is not
  /// finite`, with the parameter of that layer that is not finite itself, where there is one; or that the model's
  /// output is finite, and the loss computed from it is not.
  std::string finding() const;

 private:
  void see(const Tensor& x, const Tensor& y);

  nn::Module& model_;
  std::string finding_;
  nn::HookHandle hook_;
};

}  // namespace tandem::train
