// Flatten: joins dims into one, in logical N, C, H, W order, so that a Linear after it means the same as in PyTorch.
#pragma once

#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// Joins dims begin..end (inclusive); the default keeps the batch: [N, C, H, W] -> [N, C H W].
class Flatten : public Module {
 public:
  struct Options {
    int begin = 1, end = -1;
  };
  Flatten() = default;
  explicit Flatten(const Options& options) : options_(options) {}

  std::shared_ptr<Module> fresh() const override { return std::make_shared<Flatten>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

}  // namespace tandem::nn
