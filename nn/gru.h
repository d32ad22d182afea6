// GRU: layers of gated recurrent units (Cho et al. 2014), as torch.nn.GRU: the reset gate after the product. The
// formula stands in core/kernels/recurrent/gru.h; layers, directions and dropouts in recurrent.h.
#pragma once

#include <memory>

#include <tandem/nn/recurrent.h>

namespace tandem::nn {

///   nn::GRU gru({.in = 128, .hidden = 256});
///   auto [y, state] = gru(x, {}, lengths);  // x [T, B, 128]; state.h [1, B, 256]
class GRU : public Recurrent {
 public:
  using Options = RecurrentLayerOptions;
  /// Throws Error when a size is below 1 or a dropout outside [0, 1).
  explicit GRU(const Options& options) : Recurrent("GRU", 3, false, options) {}

  std::shared_ptr<Module> fresh() const override { return std::make_shared<GRU>(options()); }

 protected:
  RecurrentResult run(const Tensor& x, const Tensor& h, const Tensor&, const Tensor& w_ih, const Tensor& w_hh,
                      const Tensor& b_ih, const Tensor& b_hh, const RecurrentOptions& options) override {
    return gru(x, h, w_ih, w_hh, b_ih, b_hh, options);
  }
};

}  // namespace tandem::nn
