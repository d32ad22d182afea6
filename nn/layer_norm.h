// LayerNorm: layer normalisation (Ba et al. 2016). Read next: autograd/sequence_ops.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// y = (x - mean) / sqrt(var + epsilon) * weight + bias over the last dim; x and y [..., width].
///   nn::LayerNorm norm({.width = 256});
class LayerNorm : public Module {
 public:
  struct Options {
    std::int64_t width = 0;
    double epsilon = 1e-5;
    bool affine = true;  ///< with weight and bias
  };

  /// Throws Error when width is below 1 or epsilon not positive.
  explicit LayerNorm(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<LayerNorm>(options_); }
  const Options& options() const { return options_; }

  Tensor weight, bias;  ///< [width], from 1 and 0; undefined without affine

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
