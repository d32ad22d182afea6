// The LSTM's recurrence one unit at a time, as lstm.h defines it: the naive twin of lstm.cpp. f64 runs through it.
#pragma once

#include <algorithm>
#include <cmath>

#include <tandem/core/kernels/recurrent/recurrent.h>

namespace tandem::kernels::reference {

/// y [T + 2, B, H], gates [T, B, 4 H], cells [T, B, H] from row-major x, h, c, w.
template <class T>
void lstm(const RecurrentSizes& s, const Steps& steps, const T* x, const T* h, const T* c, const T* w, T* y, T* gates,
          T* cells) {
  const std::int64_t H = s.H, plane = s.B * H;
  const auto sigmoid = [](T v) { return 1 / (1 + std::exp(-v)); };
  for (std::int64_t i = 0; i < s.T; ++i) {
    const std::int64_t t = steps.at(i), before = i > 0 ? steps.at(i - 1) : 0;
    for (std::int64_t b = 0; b < s.B; ++b) {
      const T* h_before = steps.follows(i, b) ? y + before * plane + b * H : h + b * H;
      const T* c_before = i > 0 ? cells + before * plane + b * H : c + b * H;
      T* gate = gates + (t * s.B + b) * 4 * H;
      for (std::int64_t u = 0; u < H; ++u) {
        T& c_now = cells[t * plane + b * H + u];
        T& y_now = y[t * plane + b * H + u];
        if (!steps.runs(t, b)) {
          for (std::int64_t g = 0; g < 4; ++g) gate[g * H + u] = 0;
          c_now = c_before[u], y_now = 0;
          continue;
        }
        T z[4];
        for (std::int64_t g = 0; g < 4; ++g) {
          z[g] = x[(t * s.B + b) * 4 * H + g * H + u];
          for (std::int64_t k = 0; k < H; ++k) z[g] += w[(g * H + u) * H + k] * h_before[k];
          gate[g * H + u] = z[g] = g == 2 ? std::tanh(z[g]) : sigmoid(z[g]);
        }
        c_now = z[1] * c_before[u] + z[0] * z[2];
        y_now = z[3] * std::tanh(c_now);
      }
    }
  }
  for (std::int64_t b = 0; b < s.B; ++b) {
    std::copy_n(y + steps.last(b) * plane + b * H, H, y + s.T * plane + b * H);
    std::copy_n(cells + steps.at(s.T - 1) * plane + b * H, H, y + (s.T + 1) * plane + b * H);
  }
}

/// dx [T, B, 4 H], dh and dc [B, H] from dy [T + 2, B, H] and what forward left.
template <class T>
void lstm_grad(const RecurrentSizes& s, const Steps& steps, const T* dy, const T* gates, const T* cells, const T* c,
               const T* w, T* dx, T* dh, T* dc) {
  const std::int64_t H = s.H, plane = s.B * H;
  std::copy_n(dy + s.T * plane, plane, dh);
  std::copy_n(dy + (s.T + 1) * plane, plane, dc);
  for (std::int64_t i = s.T - 1; i >= 0; --i) {
    const std::int64_t t = steps.at(i);
    for (std::int64_t b = 0; b < s.B; ++b) {
      T* to = dx + (t * s.B + b) * 4 * H;
      if (!steps.runs(t, b)) {
        std::fill_n(to, 4 * H, T(0));
        continue;
      }
      const T* gate = gates + (t * s.B + b) * 4 * H;
      const T* c_before = i > 0 ? cells + steps.at(i - 1) * plane + b * H : c + b * H;
      for (std::int64_t u = 0; u < H; ++u) {
        const T in = gate[u], forget = gate[H + u], g = gate[2 * H + u], out = gate[3 * H + u];
        const T bent = std::tanh(cells[t * plane + b * H + u]);
        const T dh_now = dy[t * plane + b * H + u] + dh[b * H + u];
        const T dc_now = dc[b * H + u] + dh_now * out * (1 - bent * bent);
        to[u] = dc_now * g * in * (1 - in);
        to[H + u] = dc_now * c_before[u] * forget * (1 - forget);
        to[2 * H + u] = dc_now * in * (1 - g * g);
        to[3 * H + u] = dh_now * bent * out * (1 - out);
        dc[b * H + u] = dc_now * forget;
      }
      for (std::int64_t u = 0; u < H; ++u) {
        T total = 0;
        for (std::int64_t k = 0; k < 4 * H; ++k) total += to[k] * w[k * H + u];
        dh[b * H + u] = total;
      }
    }
  }
}

}  // namespace tandem::kernels::reference
