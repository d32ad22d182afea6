// The loops of batch normalisation, eight channels at a time in vectors, compiled for several instruction sets.
#include <tandem/core/kernels/normalise/batch_norm_rows.h>

#include <algorithm>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/vector_eight.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kPair = 16;
constexpr std::int64_t kRowsInFloat = 32;
using Doubles = double __attribute__((vector_size(8 * sizeof(double))));

template <bool kRelu, bool kAdd>
TANDEM_TARGETS void apply_loop(const float* x, const float* add, const float* mean, const float* scale,
                               const float* shift, float* y, std::int64_t rows, std::int64_t C) {
  for (std::int64_t r = 0; r < rows; ++r, x += C, y += C) {
    std::int64_t c = 0;
    for (; c + kEight <= C; c += kEight) {
      Eight v = (load(x + c) - load(mean + c)) * load(scale + c) + load(shift + c);
      if constexpr (kAdd) v += load(add + c);
      if constexpr (kRelu) v = v < 0 ? Eight{} : v;
      store(y + c, v);
    }
    for (; c < C; ++c) {
      float v = (x[c] - mean[c]) * scale[c] + shift[c];
      if constexpr (kAdd) v += add[c];
      if constexpr (kRelu) v = v < 0 ? 0.0F : v;
      y[c] = v;
    }
    if constexpr (kAdd) add += C;
  }
}

template <bool kRelu, bool kAdd>
TANDEM_TARGETS void reduce_loop(const float* dy, const float* x, const float* y, const float* mean, float* dadd,
                                std::int64_t rows, std::int64_t C, double* db, double* dw) {
  std::int64_t c = 0;
  for (; c + kPair <= C; c += kPair) {
    const Eight m0 = load(mean + c), m1 = load(mean + c + kEight);
    Doubles db0{}, db1{}, dw0{}, dw1{};
    std::int64_t i = c;
    for (std::int64_t begin = 0; begin < rows; begin += kRowsInFloat) {
      const std::int64_t end = std::min(begin + kRowsInFloat, rows);
      Eight b0{}, b1{}, w0{}, w1{};
      for (std::int64_t r = begin; r < end; ++r, i += C) {
        Eight g0 = load(dy + i), g1 = load(dy + i + kEight);
        if constexpr (kRelu) {
          g0 = load(y + i) <= 0 ? Eight{} : g0;
          g1 = load(y + i + kEight) <= 0 ? Eight{} : g1;
        }
        b0 += g0, b1 += g1;
        w0 += g0 * (load(x + i) - m0), w1 += g1 * (load(x + i + kEight) - m1);
        if constexpr (kAdd) store(dadd + i, g0), store(dadd + i + kEight, g1);
      }
      db0 += __builtin_convertvector(b0, Doubles), db1 += __builtin_convertvector(b1, Doubles);
      dw0 += __builtin_convertvector(w0, Doubles), dw1 += __builtin_convertvector(w1, Doubles);
    }
    for (int j = 0; j < kEight; ++j) {
      db[c + j] += db0[j], db[c + kEight + j] += db1[j];
      dw[c + j] += dw0[j], dw[c + kEight + j] += dw1[j];
    }
  }
  for (; c < C; ++c) {
    for (std::int64_t begin = 0, i = c; begin < rows; begin += kRowsInFloat) {
      const std::int64_t end = std::min(begin + kRowsInFloat, rows);
      float b = 0, w = 0;
      for (std::int64_t r = begin; r < end; ++r, i += C) {
        const float g = kRelu && y[i] <= 0 ? 0.0F : dy[i];
        b += g;
        w += g * (x[i] - mean[c]);
        if constexpr (kAdd) dadd[i] = g;
      }
      db[c] += static_cast<double>(b), dw[c] += static_cast<double>(w);
    }
  }
}

template <bool kRelu>
TANDEM_TARGETS void grad_loop(const float* dy, const float* x, const float* y, const float* mean, const float* scale,
                              const float* db_mean, const float* slope, float* dx, std::int64_t rows, std::int64_t C) {
  for (std::int64_t r = 0; r < rows; ++r, dy += C, x += C, dx += C) {
    std::int64_t c = 0;
    for (; c + kEight <= C; c += kEight) {
      Eight g = load(dy + c);
      if constexpr (kRelu) g = load(y + c) <= 0 ? Eight{} : g;
      store(dx + c, load(scale + c) * (g - load(db_mean + c) - (load(x + c) - load(mean + c)) * load(slope + c)));
    }
    for (; c < C; ++c) {
      const float g = kRelu && y[c] <= 0 ? 0.0F : dy[c];
      dx[c] = scale[c] * (g - db_mean[c] - (x[c] - mean[c]) * slope[c]);
    }
    if constexpr (kRelu) y += C;
  }
}

}  // namespace

TANDEM_TARGETS void block_moments(const float* x, std::int64_t rows, std::int64_t C, double* mean, double* squares) {
  const float reciprocal = 1.0F / static_cast<float>(rows);
  const double count = static_cast<double>(rows);
  std::int64_t c = 0;
  for (; c + kPair <= C; c += kPair) {
    Eight s0{}, s1{}, t0{}, t1{};
    std::int64_t r = 0;
    for (const float* p = x + c; r + 2 <= rows; r += 2, p += 2 * C) {
      s0 += load(p), s1 += load(p + kEight);
      t0 += load(p + C), t1 += load(p + C + kEight);
    }
    if (r < rows) s0 += load(x + r * C + c), s1 += load(x + r * C + c + kEight);
    const Eight m0 = (s0 + t0) * reciprocal, m1 = (s1 + t1) * reciprocal;
    Doubles d0{}, d1{}, q0{}, q1{};
    const float* p = x + c;
    for (std::int64_t begin = 0; begin < rows; begin += kRowsInFloat) {
      const std::int64_t end = std::min(begin + kRowsInFloat, rows);
      Eight a0{}, a1{}, b0{}, b1{}, u0{}, u1{}, v0{}, v1{};  // two rows at a time, in chains of their own
      for (r = begin; r + 2 <= end; r += 2, p += 2 * C) {
        const Eight e0 = load(p) - m0, e1 = load(p + kEight) - m1;
        const Eight f0 = load(p + C) - m0, f1 = load(p + C + kEight) - m1;
        a0 += e0, a1 += e1, b0 += f0, b1 += f1;
        u0 += e0 * e0, u1 += e1 * e1, v0 += f0 * f0, v1 += f1 * f1;
      }
      if (r < end) {
        const Eight e0 = load(p) - m0, e1 = load(p + kEight) - m1;
        a0 += e0, a1 += e1;
        u0 += e0 * e0, u1 += e1 * e1;
        p += C;
      }
      a0 += b0, a1 += b1, u0 += v0, u1 += v1;
      d0 += __builtin_convertvector(a0, Doubles), d1 += __builtin_convertvector(a1, Doubles);
      q0 += __builtin_convertvector(u0, Doubles), q1 += __builtin_convertvector(u1, Doubles);
    }
    for (int j = 0; j < kEight; ++j) {
      mean[c + j] = static_cast<double>(m0[j]) + d0[j] / count, squares[c + j] = q0[j] - d0[j] * d0[j] / count;
      mean[c + kEight + j] = static_cast<double>(m1[j]) + d1[j] / count;
      squares[c + kEight + j] = q1[j] - d1[j] * d1[j] / count;
    }
  }
  for (; c < C; ++c) {
    float sum = 0;
    for (std::int64_t r = 0; r < rows; ++r) sum += x[r * C + c];
    const float m = sum * reciprocal;
    double d = 0, q = 0;
    for (std::int64_t begin = 0; begin < rows; begin += kRowsInFloat) {
      const std::int64_t end = std::min(begin + kRowsInFloat, rows);
      float a = 0, u = 0;
      for (std::int64_t r = begin; r < end; ++r) {
        const float e = x[r * C + c] - m;
        a += e;
        u += e * e;
      }
      d += static_cast<double>(a), q += static_cast<double>(u);
    }
    mean[c] = static_cast<double>(m) + d / count, squares[c] = q - d * d / count;
  }
}

void apply_rows(const float* x, const float* add, const float* mean, const float* scale, const float* shift, bool relu,
                float* y, std::int64_t rows, std::int64_t C) {
  const auto loop = relu ? (add != nullptr ? apply_loop<true, true> : apply_loop<true, false>)
                         : (add != nullptr ? apply_loop<false, true> : apply_loop<false, false>);
  loop(x, add, mean, scale, shift, y, rows, C);
}

void reduce_rows(const float* dy, const float* x, const float* y, const float* mean, float* dadd, std::int64_t rows,
                 std::int64_t C, double* db, double* dw) {
  const auto loop = y != nullptr ? (dadd != nullptr ? reduce_loop<true, true> : reduce_loop<true, false>)
                                 : (dadd != nullptr ? reduce_loop<false, true> : reduce_loop<false, false>);
  loop(dy, x, y, mean, dadd, rows, C, db, dw);
}

void grad_rows(const float* dy, const float* x, const float* y, const float* mean, const float* scale,
               const float* db_mean, const float* slope, float* dx, std::int64_t rows, std::int64_t C) {
  const auto loop = y != nullptr ? grad_loop<true> : grad_loop<false>;
  loop(dy, x, y, mean, scale, db_mean, slope, dx, rows, C);
}

}  // namespace tandem::kernels
