// Linear: y = x w^T + b. The shortest layer, and the pattern of all others. Read next: linear.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// y = x w^T + b; x [..., in], y [..., out]. Weights start as PyTorch's: U(-1/sqrt(in), 1/sqrt(in)).
///   nn::Linear head({.in = 64, .out = 10});
class Linear : public Module {
 public:
  struct Options {
    std::int64_t in = 0, out = 0;
    bool bias = true;
  };

  /// Throws Error when in or out is below 1.
  explicit Linear(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Linear>(options_); }
  std::int64_t multiply_adds(const Shape& x, const Shape& y) const override;
  const Options& options() const { return options_; }

  Tensor weight;  ///< [out, in]
  Tensor bias;    ///< [out], or undefined

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
