// SwiGLU: the feed-forward part of a Transformer with a gate (Shazeer 2020, "GLU variants improve Transformer", eq. 6).
// Not here: GLU, the gate alone, without weights (activations.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/linear.h>
#include <tandem/nn/sub.h>

namespace tandem::nn {

/// y = (silu(x w_gate^T) * (x w_up^T)) w_down^T; x and y [..., width].
///   nn::SwiGLU feed_forward({.width = 256, .hidden = 688});
class SwiGLU : public Module {
 public:
  struct Options {
    std::int64_t width = 0;
    std::int64_t hidden = 0;  ///< 8/3 width has as many weights as two layers of 4 width without a gate
    bool bias = false;
  };

  /// Throws Error when width or hidden is below 1.
  explicit SwiGLU(const Options& options) : options_(options) {}

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<SwiGLU>(options_); }
  const Options& options() const { return options_; }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Linear::Options inwards() const { return {.in = options_.width, .out = options_.hidden, .bias = options_.bias}; }
  Linear::Options outwards() const { return {.in = options_.hidden, .out = options_.width, .bias = options_.bias}; }

  Options options_;
  Sub<Linear> gate_{this, "gate", inwards()}, up_{this, "up", inwards()}, down_{this, "down", outwards()};
};

}  // namespace tandem::nn
