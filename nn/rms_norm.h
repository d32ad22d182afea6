// RMSNorm: normalisation by the root mean square (Zhang & Sennrich 2019, "Root mean square layer normalization").
// Not here: LayerNorm, which subtracts the mean as well (layer_norm.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// y = x / sqrt(mean(x^2) + epsilon) * weight over the last dim; x and y [..., width].
///   nn::RMSNorm norm({.width = 256});
class RMSNorm : public Module {
 public:
  struct Options {
    std::int64_t width = 0;
    double epsilon = 1e-5;
    bool affine = true;  ///< with a weight
  };

  /// Throws Error when width is below 1 or epsilon not positive.
  explicit RMSNorm(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<RMSNorm>(options_); }
  const Options& options() const { return options_; }

  Tensor weight;  ///< [width], from 1; undefined without affine

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
