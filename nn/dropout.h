// Dropout (Srivastava et al. 2014), keyed by (seed, step, layer): the mask of a call depends on nothing else, so runs
// repeat and a saved model continues exactly (Module::random_state).
#pragma once

#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// Training: each element becomes 0 with probability p, else x / (1 - p). Evaluation: x.
/// The layer's key is drawn from default_generator() at construction; the step counts its calls in training.
///   nn::Dropout dropout({.p = 0.1});
class Dropout : public Module {
 public:
  struct Options {
    double p = 0.5;
  };

  Dropout() : Dropout(Options()) {}
  /// Throws Error when p is outside [0, 1).
  explicit Dropout(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Dropout>(options_); }
  const Options& options() const { return options_; }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
  Tensor state_;  // i64 [2]: the layer's key, its step
};

}  // namespace tandem::nn
