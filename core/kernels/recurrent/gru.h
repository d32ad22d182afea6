// The recurrence of a GRU layer (Cho et al. 2014) in PyTorch's formula, the reset gate after the product:
//   r, z = sigmoid(x + h_{t-1} w^T + b)      m = h_{t-1} w_n^T + b_n      n = tanh(x_n + r m)
//   h_t = (1 - z) n + z h_{t-1}              gate order r, z, n
// x [T, B, 3 H] holds the projected inputs with their bias, w [3 H, H], b [3 H]. Computed in f32, bf16 and
// f16 converted on their way; f64 through reference/gru.h.
#pragma once

#include <tandem/core/kernels/recurrent/recurrent.h>

namespace tandem::kernels {

struct GruForward {
  Array y;      ///< [T + 1, B, H]: the outputs h_t, then the last h
  Array gates;  ///< [T, B, 4 H]: r, z, n, m
};
/// h [B, H]: the first state; undefined is zeros; so is b. Throws Error as recurrent_sizes does.
GruForward gru(const Array& x, const Array& h, const Array& w, const Array& b, const RecurrentOptions& options = {});

struct GruGrads {
  Array dx;  ///< [T, B, 3 H]
  Array dz;  ///< [T, B, 3 H], of h w^T + b: differs from dx in its last third. dw = recurrent_weight_grad(dz, y, h)
  Array dh;  ///< [B, H], of the first state
};
/// Back through time; dy [T + 1, B, H] like y.
GruGrads gru_grad(const Array& dy, const GruForward& forward, const Array& h, const Array& w,
                  const RecurrentOptions& options = {});

}  // namespace tandem::kernels
