// FiniteWatch: which layer was the first whose output is not finite. A step looks at its loss alone. When that is nan
// or inf, the loop is given the batch once more, before the weights change, and each layer's output is looked at as it
// comes (step_batches.h): so it does not matter through which doors the program calls its model.
#pragma once

#include <string>

#include <tandem/core/array.h>
#include <tandem/nn/call_observer.h>
#include <tandem/nn/module.h>

namespace tandem::train {

/// True when no element is nan or infinite; always for whole numbers.
bool is_finite(const Array& array);

class FiniteWatch {
 public:
  explicit FiniteWatch(nn::Module& model);

  /// From search(true) to search(false) every layer's output is looked at, until one is not finite. Outside of it only
  /// the whole model's, and only in evaluation, where a search follows by calling the model again.
  void search(bool on);
  bool is_searching() const { return is_searching_; }
  /// A search has come to its end, or a layer is found.
  bool has_looked() const { return has_looked_; }

  /// What reads on from "the loss is nan: ": `layer "layer1.0.bn1" BatchNorm2d(16) is the first whose output is not
  /// finite`, with the parameter of that layer that is not finite itself, where there is one; or that the outputs are
  /// finite, and the loss computed from them is not.
  std::string finding() const;

 private:
  void see(nn::Module& layer, const Tensor& x, const Tensor& y);

  nn::Module& model_;
  std::string finding_;
  bool is_searching_ = false, has_looked_ = false;
  nn::ObserveCalls observe_;
};

}  // namespace tandem::train
