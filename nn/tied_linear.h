// TiedLinear: y = x w^T + b with the weight of another layer, of an Embedding above all (Press & Wolf 2017, "Using the
// output embedding to improve language models"). The state dict lists the weight once, and loads it by either name.
#pragma once

#include <cstdint>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

///   nn::Embedding embedding({.tokens = 10000, .width = 400});
///   nn::TiedLinear decoder({.bias = true}, embedding.weight);  // 400 -> 10000
class TiedLinear : public Module {
 public:
  struct Options {
    bool bias = true;  ///< from 0
  };

  /// weight [out, in], the same Tensor as the other layer's; frozen there, it stays frozen. Throws Error when it is not
  /// a matrix.
  TiedLinear(const Options& options, const Tensor& weight);

  std::string describe() const override;
  std::int64_t multiply_adds(const Shape& x, const Shape& y) const override;

  Tensor weight;  ///< [out, in], shared
  Tensor bias;    ///< [out], or undefined

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace tandem::nn
