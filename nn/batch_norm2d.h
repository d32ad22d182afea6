// BatchNorm2d: batch normalisation with running statistics (Ioffe & Szegedy 2015), with the residual join and the ReLU
// after it in the same pass when asked for. Not here: re-estimating statistics for other weights
// (running_statistics.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <tandem/core/workers/workers.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// y = (x - mean_c) / sqrt(var_c + epsilon) * weight_c + bias_c, x and y [N, C, H, W] or [N, C].
/// Training: mean and (biased) variance of the batch; the running ones move towards them, running_var with the unbiased
/// variance as in PyTorch:  running = (1 - momentum) running + momentum batch.  Evaluation: the running ones.
///   nn::BatchNorm2d bn({.channels = 16, .relu = true});
///   y = bn(x);            // relu(norm(x))
///   y = bn(x, shortcut);  // relu(norm(x) + shortcut)
class BatchNorm2d : public Module {
 public:
  struct Options {
    std::int64_t channels = 0;
    double momentum = 0.1;
    double epsilon = 1e-5;
    bool relu = false;  ///< max(y, 0) in the same pass
  };

  /// Throws Error when channels is below 1, momentum outside [0, 1] or epsilon not positive.
  explicit BatchNorm2d(const Options& options);

  using Module::operator();
  /// norm(x) + residual, before the ReLU; residual has the shape of x.
  Tensor operator()(const Tensor& x, const Tensor& residual);

  /// Running mean 0, variance 1, no batches. While `cumulative`, the running statistics become plain averages over all
  /// batches since, in place of the moving average.
  void reset_running_statistics(bool cumulative = false);
  /// Back to the moving average, keeping the values.
  void end_cumulative() { cumulative_ = false; }

  /// Statistics of training are over all workers from now on (synchronise.h).
  void synchronise(std::shared_ptr<Workers> workers) { workers_ = std::move(workers); }

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<BatchNorm2d>(options_); }
  const Options& options() const { return options_; }

  Tensor weight, bias;         ///< [C], from 1 and 0
  Tensor running_mean;         ///< [C], from 0
  Tensor running_var;          ///< [C], from 1
  Tensor num_batches_tracked;  ///< [], i64

 protected:
  Tensor forward(const Tensor& x) override { return normalise(x, {}); }

 private:
  Tensor normalise(const Tensor& x, const Tensor& residual);
  Tensor normalise_together(const Tensor& x, const Tensor& residual);
  void update_running(const Array& mean, const Array& variance, std::int64_t values_per_channel);

  Options options_;
  bool cumulative_ = false;
  std::shared_ptr<Workers> workers_;  // null: the statistics are those of the batch here
};

}  // namespace tandem::nn
