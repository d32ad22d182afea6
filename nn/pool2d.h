// Pooling over height and width as layers: MaxPool2d, AveragePool2d, GlobalAveragePool2d.
#pragma once

#include <memory>
#include <string>

#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// The maximum of each window; x [N, C, H, W]. `stride` 0 is the kernel. Padding never wins.
///   nn::MaxPool2d pool({.kernel = 2});
class MaxPool2d : public Module {
 public:
  using Options = Pool2dOptions;
  /// Throws Error for a kernel below 1 or padding above half the kernel.
  explicit MaxPool2d(const Options& options);
  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<MaxPool2d>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

/// The mean of each window; `count_padding` says whether padding counts.
class AveragePool2d : public Module {
 public:
  using Options = Pool2dOptions;
  /// Throws Error for a kernel below 1 or padding above half the kernel.
  explicit AveragePool2d(const Options& options);
  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<AveragePool2d>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

/// [N, C, H, W] -> [N, C], the mean over height and width.
class GlobalAveragePool2d : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<GlobalAveragePool2d>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace tandem::nn
