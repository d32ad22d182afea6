// LSTM: layers of long short-term memory (Hochreiter & Schmidhuber 1997), as torch.nn.LSTM. The formula stands in
// core/kernels/recurrent/lstm.h; layers, directions and dropouts in recurrent.h.
#pragma once

#include <memory>

#include <tandem/nn/recurrent.h>

namespace tandem::nn {

///   nn::LSTM lstm({.in = 650, .hidden = 650, .layers = 2, .dropout = 0.5});
///   auto [y, state] = lstm(x, carried);  // x [T, B, 650]; carried = state.detach() for the next part of the text
class LSTM : public Recurrent {
 public:
  using Options = RecurrentLayerOptions;
  /// Throws Error when a size is below 1 or a dropout outside [0, 1).
  explicit LSTM(const Options& options) : Recurrent("LSTM", 4, true, options) {}

  std::shared_ptr<Module> fresh() const override { return std::make_shared<LSTM>(options()); }

 protected:
  RecurrentResult run(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                      const Tensor& b_ih, const Tensor& b_hh, const RecurrentOptions& options) override {
    return lstm(x, h, c, w_ih, w_hh, b_ih, b_hh, options);
  }
};

}  // namespace tandem::nn
