// GroupNorm: normalisation of each example by itself, its channels in groups (Wu & He 2018, "Group normalization").
// It has no running statistics: training and evaluation are the same. Not here: batch_norm2d.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// y = (x - mean_g) / sqrt(var_g + epsilon) * weight_c + bias_c over the groups g of channels and all places; x and y
/// [N, C, ...].
///   nn::GroupNorm norm({.groups = 8, .channels = 64});
class GroupNorm : public Module {
 public:
  struct Options {
    std::int64_t groups = 1;  ///< 1 normalises each image as a whole, `channels` each channel of it
    std::int64_t channels = 0;
    double epsilon = 1e-5;
  };

  /// Throws Error when channels or groups is below 1, groups does not divide channels, or epsilon is not positive.
  explicit GroupNorm(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<GroupNorm>(options_); }
  const Options& options() const { return options_; }

  Tensor weight, bias;  ///< [C], from 1 and 0

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
