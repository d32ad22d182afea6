// Conv2d: the 2-D convolution as a layer. The arithmetic is autograd's conv2d over core/kernels/convolution/conv2d.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// x [N, in, H, W] -> y [N, out, H', W'], H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
/// Weights start as PyTorch's: U(-1/sqrt(f), 1/sqrt(f)), f = in / groups * kernel.h * kernel.w.
///   nn::Conv2d conv({.in = 3, .out = 16, .kernel = 3, .padding = 1, .bias = false});
class Conv2d : public Module {
 public:
  struct Options {
    std::int64_t in = 0, out = 0;
    Size2 kernel = 3;
    Size2 stride = 1;
    Size2 padding = 0;
    Size2 dilation = 1;
    std::int64_t groups = 1;  ///< in and out are multiples of it; groups = in is a depthwise convolution
    bool bias = true;
  };

  /// Throws Error for sizes below 1 (padding below 0) and groups that do not divide in and out.
  explicit Conv2d(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Conv2d>(options_); }
  std::int64_t multiply_adds(const Shape& x, const Shape& y) const override;
  const Options& options() const { return options_; }

  Tensor weight;  ///< [out, in / groups, kernel.h, kernel.w]
  Tensor bias;    ///< [out], or undefined

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
