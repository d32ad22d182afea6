// The loops of batch normalisation, eight channels at a time in vectors, compiled for several instruction sets.
#include <tandem/core/kernels/batch_norm_rows.h>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/vector_eight.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kPair = 16;

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
    Eight b0{}, b1{}, w0{}, w1{};
    std::int64_t i = c;
    for (std::int64_t r = 0; r < rows; ++r, i += C) {
      Eight g0 = load(dy + i), g1 = load(dy + i + kEight);
      if constexpr (kRelu) {
        g0 = load(y + i) > 0 ? g0 : Eight{};
        g1 = load(y + i + kEight) > 0 ? g1 : Eight{};
      }
      b0 += g0, b1 += g1;
      w0 += g0 * (load(x + i) - m0), w1 += g1 * (load(x + i + kEight) - m1);
      if constexpr (kAdd) store(dadd + i, g0), store(dadd + i + kEight, g1);
    }
    for (int j = 0; j < kEight; ++j) {
      db[c + j] += static_cast<double>(b0[j]), db[c + kEight + j] += static_cast<double>(b1[j]);
      dw[c + j] += static_cast<double>(w0[j]), dw[c + kEight + j] += static_cast<double>(w1[j]);
    }
  }
  for (; c < C; ++c) {
    float b = 0, w = 0;
    for (std::int64_t r = 0, i = c; r < rows; ++r, i += C) {
      const float g = !kRelu || y[i] > 0 ? dy[i] : 0.0F;
      b += g;
      w += g * (x[i] - mean[c]);
      if constexpr (kAdd) dadd[i] = g;
    }
    db[c] += static_cast<double>(b), dw[c] += static_cast<double>(w);
  }
}

template <bool kRelu>
TANDEM_TARGETS void grad_loop(const float* dy, const float* x, const float* y, const float* mean, const float* scale,
                              const float* db_mean, const float* slope, float* dx, std::int64_t rows, std::int64_t C) {
  for (std::int64_t r = 0; r < rows; ++r, dy += C, x += C, dx += C) {
    std::int64_t c = 0;
    for (; c + kEight <= C; c += kEight) {
      Eight g = load(dy + c);
      if constexpr (kRelu) g = load(y + c) > 0 ? g : Eight{};
      store(dx + c, load(scale + c) * (g - load(db_mean + c) - (load(x + c) - load(mean + c)) * load(slope + c)));
    }
    for (; c < C; ++c) {
      const float g = !kRelu || y[c] > 0 ? dy[c] : 0.0F;
      dx[c] = scale[c] * (g - db_mean[c] - (x[c] - mean[c]) * slope[c]);
    }
    if constexpr (kRelu) y += C;
  }
}

}  // namespace

TANDEM_TARGETS void block_moments(const float* x, std::int64_t rows, std::int64_t C, float* sums, float* squares) {
  const float reciprocal = 1.0F / static_cast<float>(rows);
  std::int64_t c = 0;
  for (; c + kPair <= C; c += kPair) {
    Eight s0{}, s1{}, t0{}, t1{};
    std::int64_t r = 0;
    for (const float* p = x + c; r + 2 <= rows; r += 2, p += 2 * C) {
      s0 += load(p), s1 += load(p + kEight);
      t0 += load(p + C), t1 += load(p + C + kEight);
    }
    if (r < rows) s0 += load(x + r * C + c), s1 += load(x + r * C + c + kEight);
    s0 += t0, s1 += t1;
    store(sums + c, s0), store(sums + c + kEight, s1);
    const Eight m0 = s0 * reciprocal, m1 = s1 * reciprocal;
    Eight q0{}, q1{}, u0{}, u1{};
    r = 0;
    for (const float* p = x + c; r + 2 <= rows; r += 2, p += 2 * C) {
      const Eight a0 = load(p) - m0, a1 = load(p + kEight) - m1;
      const Eight b0 = load(p + C) - m0, b1 = load(p + C + kEight) - m1;
      q0 += a0 * a0, q1 += a1 * a1;
      u0 += b0 * b0, u1 += b1 * b1;
    }
    if (r < rows) {
      const Eight a0 = load(x + r * C + c) - m0, a1 = load(x + r * C + c + kEight) - m1;
      q0 += a0 * a0, q1 += a1 * a1;
    }
    store(squares + c, q0 + u0), store(squares + c + kEight, q1 + u1);
  }
  for (; c < C; ++c) {
    float sum = 0, square = 0;
    for (std::int64_t r = 0; r < rows; ++r) sum += x[r * C + c];
    const float m = sum * reciprocal;
    for (std::int64_t r = 0; r < rows; ++r) square += (x[r * C + c] - m) * (x[r * C + c] - m);
    sums[c] = sum, squares[c] = square;
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
