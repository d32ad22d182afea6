// The loops of batch normalisation, sixteen channels at a time in packs. The last sixteen of C channels overlap those
// before where 16 does not divide C; below 16 channels, rows are taken side by side as one row of 16 n channels.
#include <tandem/core/kernels/normalise/batch_norm_rows.h>

#include <array>
#include <numeric>
#include <type_traits>

#include <tandem/core/kernels/normalise/channels.h>
#include <tandem/core/kernels/pack.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kUnit = 16;  // channels
constexpr std::int64_t kRowsInFloat = 32;
constexpr std::int64_t kMostFolded = 15 * kUnit;

enum class Masked { no, by_output, by_input };

/// f(first channel, how many of the unit's channels were in the one before, type of V) for units of channels that cover
/// C.
template <class F>
TANDEM_INLINE void each_unit(std::int64_t C, F f) {
  with_packs([=](auto lanes) __attribute__((always_inline)) {
    using Unit = Channels<lanes(), static_cast<int>(kUnit) / lanes()>;
    std::int64_t c = 0;
    for (; c + kUnit <= C; c += kUnit) f(c, std::int64_t{0}, std::type_identity<Unit>{});
    if (c < C && C >= kUnit) return f(C - kUnit, c - (C - kUnit), std::type_identity<Unit>{});
    for (; c < C; ++c) f(c, std::int64_t{0}, std::type_identity<Channels<1, 1>>{});
  });
}

/// f(offset of a pack, its first channel, type of V) for packs of channels that cover C, row after row.
template <class F>
TANDEM_INLINE void each_pack_of_rows(std::int64_t rows, std::int64_t C, F f) {
  with_packs([=](auto lanes) __attribute__((always_inline)) {
    for (std::int64_t begin = 0; begin < rows * C; begin += C) {
      std::int64_t c = 0;
      for (; c + lanes() <= C; c += lanes()) f(begin + c, c, std::type_identity<Channels<lanes(), 1>>{});
      if (c < C && C >= lanes()) {
        f(begin + C - lanes(), C - lanes(), std::type_identity<Channels<lanes(), 1>>{});
      } else {
        for (; c < C; ++c) f(begin + c, c, std::type_identity<Channels<1, 1>>{});
      }
    }
  });
}

/// How many rows of C channels are one of whole packs.
std::int64_t folded_rows(std::int64_t C) { return C >= kUnit ? 1 : kUnit / std::gcd(C, kUnit); }

/// What is given by channel, as often as rows lie side by side.
struct Repeated {
  std::array<float, kMostFolded> values;

  Repeated(const float* p, std::int64_t C, std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) std::copy_n(p, C, values.data() + i * C);
  }
};

template <bool kRelu, bool kAdd, class E>
void apply_loop(const E* x, const E* add, const float* mean, const float* scale, const float* shift, E* y,
                std::int64_t rows, std::int64_t C) {
  each_pack_of_rows(
      rows, C, [=](std::int64_t i, std::int64_t c, auto unit) __attribute__((always_inline)) {
        using V = typename decltype(unit)::type;
        V v = normalised(V::at(x + i), V::at(mean + c), V::at(scale + c), V::at(shift + c));
        if constexpr (kAdd) v = v + V::at(add + i);
        if constexpr (kRelu) v = v.at_least_zero();
        v.to(y + i);
      });
}

template <Masked kMask, bool kAdd, class E>
void reduce_loop(const E* dy, const E* x, const ReluMask<E>& mask, const float* mean, E* dadd, std::int64_t rows,
                 std::int64_t C, double* db, double* dw) {
  each_unit(
      C, [=](std::int64_t c, std::int64_t known, auto unit) __attribute__((always_inline)) {
        using V = typename decltype(unit)::type;
        const V m = V::at(mean + c);
        V scale = V::zero(), shift = V::zero();
        if constexpr (kMask == Masked::by_input) scale = V::at(mask.scale + c), shift = V::at(mask.shift + c);
        double db_here[V::kCount] = {}, dw_here[V::kCount] = {};
        for (std::int64_t begin = 0; begin < rows; begin += kRowsInFloat) {
          const std::int64_t end = std::min(begin + kRowsInFloat, rows);
          V b[2] = {V::zero(), V::zero()}, w[2] = {V::zero(), V::zero()};
          const auto take = [&](std::int64_t r, V & to_b, V & to_w) __attribute__((always_inline)) {
            const std::int64_t i = r * C + c;
            V g = V::at(dy + i);
            const V v = V::at(x + i);
            if constexpr (kMask == Masked::by_output) g = g.where_positive(V::at(mask.y + i));
            if constexpr (kMask == Masked::by_input) g = g.where_positive(normalised(v, m, scale, shift));
            to_b = to_b + g;
            for (std::size_t k = 0; k < std::size(v.pack); ++k) to_w.pack[k] += g.pack[k] * (v.pack[k] - m.pack[k]);
            if constexpr (kAdd) g.to(dadd + i);
          };
          std::int64_t r = begin;
          for (; r + 2 <= end; r += 2) take(r, b[0], w[0]), take(r + 1, b[1], w[1]);
          if (r < end) take(r, b[0], w[0]);
          (b[0] + b[1]).add_to(db_here);
          (w[0] + w[1]).add_to(dw_here);
        }
        for (std::int64_t j = known; j < V::kCount; ++j) db[c + j] += db_here[j], dw[c + j] += dw_here[j];
      });
}

template <Masked kMask, class E>
void grad_loop(const E* dy, const E* x, const ReluMask<E>& mask, const float* mean, const float* scale,
               const float* db_mean, const float* slope, E* dx, std::int64_t rows, std::int64_t C) {
  each_pack_of_rows(
      rows, C, [=](std::int64_t i, std::int64_t c, auto unit) __attribute__((always_inline)) {
        using V = typename decltype(unit)::type;
        V g = V::at(dy + i);
        const V v = V::at(x + i), m = V::at(mean + c);
        if constexpr (kMask == Masked::by_output) g = g.where_positive(V::at(mask.y + i));
        if constexpr (kMask == Masked::by_input)
          g = g.where_positive(normalised(v, m, V::at(mask.scale + c), V::at(mask.shift + c)));
        const V along = (v - m) * V::at(slope + c);
        (V::at(scale + c) * (g - V::at(db_mean + c) - along)).to(dx + i);
      });
}

template <class E>
void moments_loop(const E* x, std::int64_t rows, std::int64_t C, double* mean, double* squares) {
  const float reciprocal = 1.0F / static_cast<float>(rows);
  const double share = 1 / static_cast<double>(rows);
  each_unit(
      C, [=](std::int64_t c, std::int64_t, auto unit) __attribute__((always_inline)) {
        using V = typename decltype(unit)::type;
        const E* p = x + c;
        V sum[2] = {V::zero(), V::zero()};
        std::int64_t r = 0;
        for (; r + 2 <= rows; r += 2) sum[0] = sum[0] + V::at(p + r * C), sum[1] = sum[1] + V::at(p + (r + 1) * C);
        if (r < rows) sum[0] = sum[0] + V::at(p + r * C);
        V m = sum[0] + sum[1];
        for (auto& pack : m.pack) pack *= reciprocal;
        double d[V::kCount] = {}, q[V::kCount] = {}, about[V::kCount] = {};
        for (std::int64_t begin = 0; begin < rows; begin += kRowsInFloat) {
          const std::int64_t end = std::min(begin + kRowsInFloat, rows);
          V a[2] = {V::zero(), V::zero()}, u[2] = {V::zero(), V::zero()};
          const auto take = [&](std::int64_t row, V & to_a, V & to_u) __attribute__((always_inline)) {
            const V e = V::at(p + row * C) - m;
            to_a = to_a + e;
            for (std::size_t k = 0; k < std::size(e.pack); ++k) to_u.pack[k] += e.pack[k] * e.pack[k];
          };
          for (r = begin; r + 2 <= end; r += 2) take(r, a[0], u[0]), take(r + 1, a[1], u[1]);
          if (r < end) take(r, a[0], u[0]);
          (a[0] + a[1]).add_to(d);
          (u[0] + u[1]).add_to(q);
        }
        m.add_to(about);
        for (int j = 0; j < V::kCount; ++j) {
          mean[c + j] = about[j] + d[j] * share;
          squares[c + j] = q[j] - d[j] * d[j] * share;
        }
      });
}

}  // namespace

TANDEM_TARGETS void merge_moments(double count, double* __restrict mean, double* __restrict squares, double other_count,
                                  const double* __restrict other_mean, const double* __restrict other_squares,
                                  std::int64_t C) {
  const double share = other_count / (count + other_count), weight = count * share;
  for (std::int64_t c = 0; c < C; ++c) {
    const double difference = other_mean[c] - mean[c];
    mean[c] += difference * share;
    squares[c] += other_squares[c] + difference * difference * weight;
  }
}

template <class E>
void block_moments(const E* x, std::int64_t rows, std::int64_t C, double* mean, double* squares) {
  const std::int64_t fold = folded_rows(C), wide = rows / fold, rest = rows % fold;
  if (fold == 1 || wide == 0) return moments_loop(x, rows, C, mean, squares);
  double means[kMostFolded], parts[kMostFolded], count = static_cast<double>(wide);
  moments_loop(x, wide, fold * C, means, parts);
  std::copy_n(means, C, mean);
  std::copy_n(parts, C, squares);
  for (std::int64_t i = 1; i < fold; ++i, count += static_cast<double>(wide))
    merge_moments(count, mean, squares, static_cast<double>(wide), means + i * C, parts + i * C, C);
  if (rest == 0) return;
  moments_loop(x + wide * fold * C, rest, C, means, parts);
  merge_moments(count, mean, squares, static_cast<double>(rest), means, parts, C);
}

template <class E>
void apply_rows(const E* x, const E* add, const float* mean, const float* scale, const float* shift, bool relu, E* y,
                std::int64_t rows, std::int64_t C) {
  const auto loop = relu ? (add != nullptr ? apply_loop<true, true, E> : apply_loop<true, false, E>)
                         : (add != nullptr ? apply_loop<false, true, E> : apply_loop<false, false, E>);
  const std::int64_t fold = folded_rows(C), wide = rows / fold, i = wide * fold * C;
  if (fold == 1 || wide == 0) return loop(x, add, mean, scale, shift, y, rows, C);
  const Repeated m(mean, C, fold), a(scale, C, fold), b(shift, C, fold);
  loop(x, add, m.values.data(), a.values.data(), b.values.data(), y, wide, fold * C);
  loop(x + i, add == nullptr ? nullptr : add + i, mean, scale, shift, y + i, rows % fold, C);
}

template <class E>
void reduce_rows(const E* dy, const E* x, const ReluMask<E>& mask, const float* mean, E* dadd, std::int64_t rows,
                 std::int64_t C, double* db, double* dw) {
  const bool adds = dadd != nullptr;
  const auto loop = mask.y != nullptr
                        ? (adds ? reduce_loop<Masked::by_output, true, E> : reduce_loop<Masked::by_output, false, E>)
                    : mask.shift != nullptr
                        ? (adds ? reduce_loop<Masked::by_input, true, E> : reduce_loop<Masked::by_input, false, E>)
                        : (adds ? reduce_loop<Masked::no, true, E> : reduce_loop<Masked::no, false, E>);
  const std::int64_t fold = folded_rows(C), wide = rows / fold, i = wide * fold * C;
  if (fold == 1 || wide == 0) return loop(dy, x, mask, mean, dadd, rows, C, db, dw);
  const Repeated m(mean, C, fold);
  const Repeated a(mask.scale != nullptr ? mask.scale : mean, C, fold),
      b(mask.shift != nullptr ? mask.shift : mean, C, fold);
  const ReluMask<E> repeated{mask.y, mask.scale == nullptr ? nullptr : a.values.data(),
                             mask.shift == nullptr ? nullptr : b.values.data()};
  double db_wide[kMostFolded] = {}, dw_wide[kMostFolded] = {};
  loop(dy, x, repeated, m.values.data(), dadd, wide, fold * C, db_wide, dw_wide);
  for (std::int64_t k = 0; k < fold * C; ++k) db[k % C] += db_wide[k], dw[k % C] += dw_wide[k];
  loop(dy + i, x + i, mask.from(i), mean, adds ? dadd + i : nullptr, rows % fold, C, db, dw);
}

template <class E>
void grad_rows(const E* dy, const E* x, const ReluMask<E>& mask, const float* mean, const float* scale,
               const float* db_mean, const float* slope, E* dx, std::int64_t rows, std::int64_t C) {
  const auto loop = mask.y != nullptr       ? grad_loop<Masked::by_output, E>
                    : mask.shift != nullptr ? grad_loop<Masked::by_input, E>
                                            : grad_loop<Masked::no, E>;
  const std::int64_t fold = folded_rows(C), wide = rows / fold, i = wide * fold * C;
  if (fold == 1 || wide == 0) return loop(dy, x, mask, mean, scale, db_mean, slope, dx, rows, C);
  const Repeated m(mean, C, fold), a(scale, C, fold), d(db_mean, C, fold), s(slope, C, fold),
      b(mask.shift != nullptr ? mask.shift : mean, C, fold);
  const ReluMask<E> repeated{mask.y, a.values.data(), mask.shift == nullptr ? nullptr : b.values.data()};
  loop(dy, x, repeated, m.values.data(), a.values.data(), d.values.data(), s.values.data(), dx, wide, fold * C);
  loop(dy + i, x + i, mask.from(i), mean, scale, db_mean, slope, dx + i, rows % fold, C);
}

#define TANDEM_NORM_ROWS(E)                                                                                       \
  template void block_moments(const E*, std::int64_t, std::int64_t, double*, double*);                            \
  template void apply_rows(const E*, const E*, const float*, const float*, const float*, bool, E*, std::int64_t,  \
                           std::int64_t);                                                                         \
  template void reduce_rows(const E*, const E*, const ReluMask<E>&, const float*, E*, std::int64_t, std::int64_t, \
                            double*, double*);                                                                    \
  template void grad_rows(const E*, const E*, const ReluMask<E>&, const float*, const float*, const float*,       \
                          const float*, E*, std::int64_t, std::int64_t);
TANDEM_NORM_ROWS(float)
TANDEM_NORM_ROWS(bfloat16)
TANDEM_NORM_ROWS(float16)
#undef TANDEM_NORM_ROWS

}  // namespace tandem::kernels
