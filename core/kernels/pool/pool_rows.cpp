// See pool_rows.h. Fewer than 8 channels: a pack reads and writes on into the next places, which are written after it,
// and single lanes do the end of a row.
//
// us of one thread with AVX-512, 2x2 with stride 2, batch 64, and what the same loops on single numbers took:
//   channels, image    6, 28x28      32, 28x28     16, 10x10   64, 10x10
//   maximum            370 (1310)    408 (6497)    41 (475)    96 (1444)
//   its gradient       188 (1074)    310 (509)     33 (402)    64 (73)
#include <tandem/core/kernels/pool/pool_rows.h>

#include <array>
#include <type_traits>

#include <tandem/core/kernels/pack.h>

namespace tandem::kernels::detail {

namespace {

constexpr std::int64_t kNarrow = 8;  // lanes of the narrowest pack
constexpr std::int64_t kTermsInFloat = 32;
constexpr std::int64_t kScattered = 16;  // up to so many channels, single gradients go to where they belong

template <int kLanes>
using Lanes = std::integral_constant<int, kLanes>;

/// f(place, offset) for the places of a window that lie inside the image, in order.
template <class F>
TANDEM_INLINE void each_place(const PoolGeometry& g, const Window& w, F&& f) {
  for (std::int64_t r = w.r0; r < w.r1; ++r)
    for (std::int64_t s = w.s0; s < w.s1; ++s) f(r * g.o.kernel.w + s, w.begin + (r * g.W + s) * g.C);
}

/// f(window, offset in the row of outputs, first channel, lanes) for the channels of all windows of row i. Fewer
/// channels than lanes: `runs_on` says of a window (its column, its number) that a pack may go on behind its channels.
template <int kLanes, class RunsOn, class F>
TANDEM_INLINE void each_piece(const PoolGeometry& g, std::int64_t i, RunsOn&& runs_on, F&& f) {
  for (std::int64_t j = 0; j < g.Q; ++j) {
    const Window w = g.window(i, j);
    const std::int64_t at = j * g.C;
    if (g.C >= kLanes) {
      each_pack<kLanes>(
          g.C, [&](std::int64_t c) __attribute__((always_inline)) { f(w, at, c, Lanes<kLanes>{}); });
    } else if (g.C < kNarrow && at + kNarrow <= g.Q * g.C && runs_on(w)) {
      f(w, at, std::int64_t{0}, Lanes<kNarrow>{});
    } else {
      for (std::int64_t c = 0; c < g.C; ++c) f(w, at, c, Lanes<1>{});
    }
  }
}

/// f(Lanes<n>) with as many lanes as the channels fill.
template <class F>
TANDEM_INLINE void with_channels(std::int64_t C, F f) {
  with_packs([=](auto lanes) __attribute__((always_inline)) {
    if constexpr (lanes() > kNarrow) {
      if (C < lanes()) return f(Lanes<kNarrow>{});
    }
    f(lanes);
  });
}

/// A pack that begins at the last place of a window ends within what is readable.
TANDEM_INLINE auto reads_within(const PoolGeometry& g, std::int64_t readable) {
  return [&g, readable ](const Window& w) __attribute__((always_inline)) {
    return w.begin + ((w.r1 - 1) * g.W + w.s1 - 1) * g.C + kNarrow <= readable;
  };
}

template <int kLanes>
TANDEM_INLINE Pack<kLanes> rounded_average(const Pack<kLanes>& sum, const double* totals, double factor) {
  float lanes[kLanes];
  write(lanes, sum);
  for (int k = 0; k < kLanes; ++k) lanes[k] = static_cast<float>((static_cast<double>(lanes[k]) + totals[k]) * factor);
  return read<Pack<kLanes>>(lanes);
}

/// Adds value(place) of every window to `to`, which holds zeros; value_of(offset in dy, lanes) makes it.
template <int kLanes, class ValueOf>
TANDEM_INLINE void add_image(const PoolGeometry& g, float* to, ValueOf&& value_of) {
  for (std::int64_t i = 0; i < g.P; ++i)
    for (std::int64_t j = 0; j < g.Q; ++j) {
      const Window w = g.window(i, j);
      const std::int64_t at = (i * g.Q + j) * g.C;
      const auto add = [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        const auto value = value_of(w, at + c, lanes);
        each_place(
            g, w, [&](std::int64_t place, std::int64_t offset) __attribute__((always_inline)) {
              float* p = to + offset + c;
              store<lanes()>(p, load<lanes()>(p) + value(place));
            });
      };
      std::int64_t c = 0;
      for (; c + kLanes <= g.C; c += kLanes) add(c, Lanes<kLanes>{});
      for (; c < g.C; ++c) add(c, Lanes<1>{});
    }
}

/// The same where windows do not overlap: each place is written once.
template <int kLanes, class E, class ValueOf>
TANDEM_INLINE void write_image(const PoolGeometry& g, E* dx, ValueOf&& value_of) {
  if (!g.is_tiling()) std::fill(dx, dx + g.image(), E(0.0F));
  const std::int64_t covered = g.o.kernel.w == g.o.stride.w ? std::min(g.W, g.Q * g.o.stride.w - g.o.padding.w) : 0;
  for (std::int64_t i = 0; i < g.P; ++i) {
    const std::int64_t row = (i * g.o.stride.h - g.o.padding.h) * g.W * g.C;
    const auto stays_covered = [&](const Window& w) __attribute__((always_inline)) {
      return w.begin - row + (w.s1 - 1) * g.C + kNarrow <= covered * g.C;
    };
    each_piece<kLanes>(
        g, i, stays_covered,
        [&](const Window& w, std::int64_t at, std::int64_t c, auto lanes) __attribute__((always_inline)) {
          const auto value = value_of(w, i * g.Q * g.C + at + c, lanes);
          each_place(
              g, w, [&](std::int64_t place, std::int64_t offset) __attribute__((always_inline)) {
                store<lanes()>(dx + offset + c, Pack<lanes()>{} + value(place));
              });
        });
  }
}

template <class E, class ValueOf>
TANDEM_INLINE void spread(const PoolGeometry& g, E* dx, float* sums, ValueOf value_of) {
  with_channels(
      g.C, [&](auto lanes) __attribute__((always_inline)) {
        if (g.is_disjoint()) return write_image<lanes()>(g, dx, value_of);
        float* to = sums;
        if constexpr (std::is_same_v<E, float>) to = dx;
        std::fill(to, to + g.image(), 0.0F);
        add_image<lanes()>(g, to, value_of);
        if constexpr (!std::is_same_v<E, float>) {
          for (std::int64_t k = 0; k < g.image(); ++k) dx[k] = E(to[k]);
        }
      });
}

/// Overlapping windows of few channels: f(window, image of floats) adds what belongs to a window, one after the other.
template <class E, class F>
void add_windows(const PoolGeometry& g, E* dx, float* sums, F f) {
  float* to = sums;
  if constexpr (std::is_same_v<E, float>) to = dx;
  std::fill(to, to + g.image(), 0.0F);
  for (std::int64_t i = 0; i < g.P; ++i)
    for (std::int64_t j = 0; j < g.Q; ++j) f(g.window(i, j), to);
  if constexpr (!std::is_same_v<E, float>) {
    for (std::int64_t k = 0; k < g.image(); ++k) dx[k] = E(to[k]);
  }
}

}  // namespace

template <class E>
void max_row(const PoolGeometry& g, const E* x, std::int64_t readable, std::int64_t i, E* y, std::uint8_t* chosen) {
  with_channels(
      g.C, [&](auto lanes) __attribute__((always_inline)) {
        each_piece<lanes()>(
            g, i, reads_within(g, readable),
            [&](const Window& w, std::int64_t at, std::int64_t c, auto width) __attribute__((always_inline)) {
              const std::int64_t first = w.r0 * g.o.kernel.w + w.s0;
              auto best = load<width()>(x + w.begin + (w.r0 * g.W + w.s0) * g.C + c);
              auto where = splat<width()>(static_cast<float>(first));
              each_place(
                  g, w, [&](std::int64_t place, std::int64_t offset) __attribute__((always_inline)) {
                    const auto v = load<width()>(x + offset + c);
                    // v where it is greater or one of them is NaN, but not where best is
                    const auto here = splat<width()>(static_cast<float>(place));
                    const auto better = choose_less_equal<width()>(v, best, best, v);
                    const auto then = choose_less_equal<width()>(v, best, where, here);
                    where = choose_less_equal<width()>(best, best, then, where);
                    best = choose_less_equal<width()>(best, best, better, best);
                  });
              store<width()>(y + at + c, best);
              store_bytes<width()>(chosen + at + c, where);
            });
      });
}

template <class E>
void average_row(const PoolGeometry& g, const E* x, std::int64_t readable, std::int64_t i, E* y) {
  with_channels(
      g.C, [&](auto lanes) __attribute__((always_inline)) {
        each_piece<lanes()>(
            g, i, reads_within(g, readable),
            [&](const Window& w, std::int64_t at, std::int64_t c, auto width) __attribute__((always_inline)) {
              Pack<width()> sum{};
              double totals[width()] = {};  // in float for kTermsInFloat places, then on here
              std::int64_t terms = 0;
              each_place(
                  g, w, [&](std::int64_t, std::int64_t offset) __attribute__((always_inline)) {
                    if (terms++ == kTermsInFloat) {
                      add_lanes<width()>(totals, sum);
                      sum = Pack<width()>{};
                      terms = 1;
                    }
                    sum += load<width()>(x + offset + c);
                  });
              const double factor = 1.0 / static_cast<double>(g.divisor(w));
              store<width()>(y + at + c, rounded_average<width()>(sum, totals, factor));
            });
      });
}

template <class E>
void take_row(const PoolGeometry& g, const E* x, const std::uint8_t* chosen, std::int64_t i, E* y) {
  with_channels(
      g.C, [&](auto lanes) __attribute__((always_inline)) {
        each_piece<lanes()>(
            g, i, [](const Window&) { return false; },
            [&](const Window& w, std::int64_t at, std::int64_t c, auto width) __attribute__((always_inline)) {
              const auto where = load_bytes<width()>(chosen + at + c);
              Pack<width()> taken{};
              each_place(
                  g, w, [&](std::int64_t place, std::int64_t offset) __attribute__((always_inline)) {
                    const auto here = splat<width()>(static_cast<float>(place));
                    taken = choose_equal<width()>(where, here, load<width()>(x + offset + c), taken);
                  });
              store<width()>(y + at + c, taken);
            });
      });
}

template <class E>
void max_grad_image(const PoolGeometry& g, const E* dy, const std::uint8_t* chosen, E* dx, float* sums) {
  if (!g.is_disjoint() && g.C <= kScattered) {  // each number goes where `chosen` says, if that is inside the image
    std::array<std::int64_t, 256> offsets;
    offsets.fill(-1);
    add_windows(g, dx, sums, [&](const Window& w, float* to) {
      std::fill_n(offsets.begin(), g.o.kernel.h * g.o.kernel.w, -1);
      each_place(g, w, [&](std::int64_t place, std::int64_t at) { offsets[static_cast<std::size_t>(place)] = at; });
      for (std::int64_t c = 0; c < g.C; ++c) {
        const std::int64_t at = offsets[chosen[c]];
        if (at >= 0) to[at + c] += static_cast<float>(dy[c]);
      }
      dy += g.C, chosen += g.C;
    });
    return;
  }
  spread(
      g, dx, sums, [&](const Window&, std::int64_t at, auto lanes) __attribute__((always_inline)) {
        const auto value = load<lanes()>(dy + at);
        const auto where = load_bytes<lanes()>(chosen + at);
        return [=](std::int64_t place) __attribute__((always_inline)) {
          const auto here = splat<lanes()>(static_cast<float>(place));
          return choose_equal<lanes()>(where, here, value, Pack<lanes()>{});
        };
      });
}

template <class E>
void average_grad_image(const PoolGeometry& g, const E* dy, E* dx, float* sums) {
  const auto factor_of = [&g](const Window& w) __attribute__((always_inline)) {
    return static_cast<float>(1.0 / static_cast<double>(g.divisor(w)));
  };
  if (!g.is_disjoint() && g.C < kNarrow) {
    add_windows(g, dx, sums, [&](const Window& w, float* to) {
      const float factor = factor_of(w);
      each_place(g, w, [&](std::int64_t, std::int64_t at) {
        for (std::int64_t c = 0; c < g.C; ++c) to[at + c] += factor * static_cast<float>(dy[c]);
      });
      dy += g.C;
    });
    return;
  }
  spread(
      g, dx, sums, [&](const Window& w, std::int64_t at, auto lanes) __attribute__((always_inline)) {
        const float factor = factor_of(w);
        const auto value = load<lanes()>(dy + at);
        return [=](std::int64_t) __attribute__((always_inline)) { return factor * value; };
      });
}

#define TANDEM_POOL_ROWS(E)                                                                            \
  template void max_row(const PoolGeometry&, const E*, std::int64_t, std::int64_t, E*, std::uint8_t*); \
  template void average_row(const PoolGeometry&, const E*, std::int64_t, std::int64_t, E*);            \
  template void take_row(const PoolGeometry&, const E*, const std::uint8_t*, std::int64_t, E*);        \
  template void max_grad_image(const PoolGeometry&, const E*, const std::uint8_t*, E*, float*);        \
  template void average_grad_image(const PoolGeometry&, const E*, E*, float*);
TANDEM_POOL_ROWS(float)
TANDEM_POOL_ROWS(bfloat16)
TANDEM_POOL_ROWS(float16)
#undef TANDEM_POOL_ROWS

}  // namespace tandem::kernels::detail
