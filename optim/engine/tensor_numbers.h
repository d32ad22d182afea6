// TensorNumbers: the numbers that a leaf keeps of each tensor from step to step (Formula::kNumbers), in double, zero at
// the start. What running_norm_leaf.h and running_number_leaf.h share.
#pragma once

#include <algorithm>
#include <span>

#include <tandem/optim/engine/running.h>

namespace tandem {

class TensorNumbers {
 public:
  TensorNumbers(std::span<const char* const> names, const Frame& frame)
      : names_(names), frame_(frame), array_(Array::zeros({count(names, frame)}, DType::f64)) {}

  /// The numbers of tensor t of the frame, in the order of their names.
  std::span<double> of(std::size_t t) { return {array_.data<double>() + t * names_.size(), names_.size()}; }
  void clear() { std::fill_n(array_.data<double>(), array_.size(), 0.0); }

  /// "mu_product/conv1.weight": one entry for each name and parameter.
  template <class T>
  void state(const std::string& path, StateVisitor<T>& visitor) {
    for (std::size_t k = 0; k < names_.size(); ++k) {
      for (std::size_t t = 0; t < frame_.parameters.size(); ++t) {
        const auto at = static_cast<std::int64_t>(t * names_.size() + k);
        Array number = array_.slice(0, at, at + 1).reshape({});
        visitor.array(path + names_[k] + "/" + frame_.parameters[t].name, number);
      }
    }
  }

 private:
  static std::int64_t count(std::span<const char* const> names, const Frame& frame) {
    return static_cast<std::int64_t>(std::max<std::size_t>(1, names.size() * frame.parameters.size()));
  }

  std::span<const char* const> names_;
  const Frame& frame_;
  Array array_;  // f64 [tensors * names]
};

}  // namespace tandem
