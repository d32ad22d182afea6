// LockedDropout: variational dropout (Gal & Ghahramani 2016), one mask for all steps of a sequence, as AWD-LSTM uses
// it.
#pragma once

#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// Training: y = x m, where m [1, B, H] is 1 / (1 - p) with probability 1 - p, else 0, the same at every step of
/// x [T, B, H]. Evaluation: x. Keyed like Dropout.
///   nn::LockedDropout dropout({.p = 0.3});
class LockedDropout : public Module {
 public:
  struct Options {
    double p = 0.5;
    int time = 0;  ///< the dim of time
  };

  LockedDropout() : LockedDropout(Options()) {}
  /// Throws Error when p is outside [0, 1).
  explicit LockedDropout(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<LockedDropout>(options_); }
  const Options& options() const { return options_; }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
  Tensor state_;
};

}  // namespace tandem::nn
