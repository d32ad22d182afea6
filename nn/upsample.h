// Upsample: images in another size as a layer, nearest or bilinear. The rule stands in core/kernels/pool/upsample2d.h.
#pragma once

#include <memory>
#include <string>

#include <tandem/core/kernels/pool/upsample2d.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// [N, C, H, W] -> [N, C, H', W']; either by a factor or to a size.
///   nn::Upsample up({.scale = 2});
///   nn::Upsample to({.size = {48, 64}, .mode = Interpolation::bilinear});
class Upsample : public Module {
 public:
  using Options = Upsample2dOptions;
  /// Throws Error when scale and size are both given or both missing, or not positive.
  explicit Upsample(const Options& options);
  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Upsample>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
