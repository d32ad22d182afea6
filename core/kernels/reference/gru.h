// The GRU's recurrence one unit at a time, as gru.h defines it: the naive twin of gru.cpp. f64 runs through it.
#pragma once

#include <algorithm>
#include <cmath>

#include <tandem/core/kernels/recurrent/recurrent.h>

namespace tandem::kernels::reference {

/// y [T + 1, B, H], gates [T, B, 4 H] from row-major x, h, w, bias.
template <class T>
void gru(const RecurrentSizes& s, const Steps& steps, const T* x, const T* h, const T* w, const T* bias, T* y,
         T* gates) {
  const std::int64_t H = s.H, plane = s.B * H;
  const auto sigmoid = [](T v) { return 1 / (1 + std::exp(-v)); };
  for (std::int64_t i = 0; i < s.T; ++i) {
    const std::int64_t t = steps.at(i), before = i > 0 ? steps.at(i - 1) : 0;
    for (std::int64_t b = 0; b < s.B; ++b) {
      const T* h_before = steps.follows(i, b) ? y + before * plane + b * H : h + b * H;
      const T* in = x + (t * s.B + b) * 3 * H;
      T* gate = gates + (t * s.B + b) * 4 * H;
      T* out = y + t * plane + b * H;
      if (!steps.runs(t, b)) {
        std::fill_n(gate, 4 * H, T(0));
        std::fill_n(out, H, T(0));
        continue;
      }
      for (std::int64_t u = 0; u < H; ++u) {
        T m[3];
        for (std::int64_t g = 0; g < 3; ++g) {
          m[g] = bias[g * H + u];
          for (std::int64_t k = 0; k < H; ++k) m[g] += w[(g * H + u) * H + k] * h_before[k];
        }
        const T r = sigmoid(in[u] + m[0]), z = sigmoid(in[H + u] + m[1]), n = std::tanh(in[2 * H + u] + r * m[2]);
        gate[u] = r, gate[H + u] = z, gate[2 * H + u] = n, gate[3 * H + u] = m[2];
        out[u] = (1 - z) * n + z * h_before[u];
      }
    }
  }
  for (std::int64_t b = 0; b < s.B; ++b) std::copy_n(y + steps.last(b) * plane + b * H, H, y + s.T * plane + b * H);
}

/// dx, dz [T, B, 3 H] and dh [B, H] from dy [T + 1, B, H] and what forward left.
template <class T>
void gru_grad(const RecurrentSizes& s, const Steps& steps, const T* dy, const T* y, const T* gates, const T* h,
              const T* w, T* dx, T* dz, T* dh) {
  const std::int64_t H = s.H, plane = s.B * H;
  std::copy_n(dy + s.T * plane, plane, dh);
  for (std::int64_t i = s.T - 1; i >= 0; --i) {
    const std::int64_t t = steps.at(i);
    for (std::int64_t b = 0; b < s.B; ++b) {
      T *to_x = dx + (t * s.B + b) * 3 * H, *to_z = dz + (t * s.B + b) * 3 * H;
      if (!steps.runs(t, b)) {
        std::fill_n(to_x, 3 * H, T(0));
        std::fill_n(to_z, 3 * H, T(0));
        continue;
      }
      const T* gate = gates + (t * s.B + b) * 4 * H;
      const T* h_before = steps.follows(i, b) ? y + steps.at(i - 1) * plane + b * H : h + b * H;
      for (std::int64_t u = 0; u < H; ++u) {
        const T r = gate[u], z = gate[H + u], n = gate[2 * H + u], m = gate[3 * H + u];
        const T dh_now = dy[t * plane + b * H + u] + dh[b * H + u];
        const T dn = dh_now * (1 - z) * (1 - n * n);
        to_x[u] = to_z[u] = dn * m * r * (1 - r);
        to_x[H + u] = to_z[H + u] = dh_now * (h_before[u] - n) * z * (1 - z);
        to_x[2 * H + u] = dn;
        to_z[2 * H + u] = dn * r;
        dh[b * H + u] = dh_now * z;
      }
      for (std::int64_t u = 0; u < H; ++u) {
        T total = 0;
        for (std::int64_t k = 0; k < 3 * H; ++k) total += to_z[k] * w[k * H + u];
        dh[b * H + u] += total;
      }
    }
  }
}

}  // namespace tandem::kernels::reference
