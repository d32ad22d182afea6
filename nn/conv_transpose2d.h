// ConvTranspose2d: the transposed 2-D convolution as a layer. The arithmetic is autograd's conv_transpose2d over
// core/kernels/convolution/conv_transpose2d.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/core/kernels/convolution/conv_transpose2d.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// x [N, in, H, W] -> y [N, out, H', W'],
/// H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
/// Weights start as PyTorch's: U(-1/sqrt(f), 1/sqrt(f)), f = out / groups * kernel.h * kernel.w.
///   nn::ConvTranspose2d up({.in = 64, .out = 32, .kernel = 4, .stride = 2, .padding = 1});  // H' = 2 H
class ConvTranspose2d : public Module {
 public:
  struct Options {
    std::int64_t in = 0, out = 0;
    Size2 kernel = 3;
    Size2 stride = 1;
    Size2 padding = 0;
    Size2 output_padding = 0;  ///< below the stride or the dilation
    Size2 dilation = 1;
    std::int64_t groups = 1;  ///< in and out are multiples of it
    bool bias = true;
  };

  /// Throws Error for sizes below 1 (paddings below 0), output_padding that reaches stride and dilation, and groups
  /// that do not divide in and out.
  explicit ConvTranspose2d(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<ConvTranspose2d>(options_); }
  std::int64_t multiply_adds(const Shape& x, const Shape& y) const override;
  const Options& options() const { return options_; }

  Tensor weight;  ///< [in, out / groups, kernel.h, kernel.w]
  Tensor bias;    ///< [out], or undefined

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
