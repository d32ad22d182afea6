// The recurrence of an LSTM layer (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), PyTorch's
// formula and gate order:
//   z_t = x_t + h_{t-1} w^T      i, f, o = sigmoid(z), g = tanh(z), in the order i, f, g, o
//   c_t = f c_{t-1} + i g        h_t = o tanh(c_t)
// x [T, B, 4 H] holds the projected inputs with both biases, w [4 H, H]. Computed in f32, bf16 and f16 converted on
// their way; f64 through reference/lstm.h.
#pragma once

#include <tandem/core/kernels/recurrent/recurrent.h>

namespace tandem::kernels {

struct LstmForward {
  Array y;      ///< [T + 2, B, H]: the outputs h_t, then the last h, then the last c
  Array gates;  ///< [T, B, 4 H]: i, f, g, o
  Array cells;  ///< [T, B, H]: c_t; f32 for x of bf16 or f16
};
/// h, c [B, H]: the first states; undefined is zeros. Throws Error as recurrent_sizes does.
LstmForward lstm(const Array& x, const Array& h, const Array& c, const Array& w, const RecurrentOptions& options = {});

struct LstmGrads {
  Array dx;      ///< [T, B, 4 H]
  Array dh, dc;  ///< [B, H], of the first states
};
/// Back through time; dy [T + 2, B, H] like y. The gradient of w is recurrent_weight_grad(dx, y, h).
LstmGrads lstm_grad(const Array& dy, const LstmForward& forward, const Array& c, const Array& w,
                    const RecurrentOptions& options = {});

}  // namespace tandem::kernels
