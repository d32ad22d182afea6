// The one loop under all elementwise kernels: walks up to four operands of different strides together.
//
//   plan_loop   dims in the memory order of the output, dims that lie behind each other joined: mostly one dim is left
//   run_loop    parts of the plan on threads
//   run_tile    the two innermost dims, vectorised for strides 1 (a row) and 0 (one number for the row)
//
// Not here: dtypes, broadcasting rules and outputs (elementwise_apply.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include <tandem/core/array.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/threads.h>

#if defined(__clang__)
#define TANDEM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define TANDEM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define TANDEM_INDEPENDENT
#endif

namespace tandem::kernels {

/// Elements that are worth a thread of their own.
inline constexpr std::int64_t kElementGrain = 32768;

/// Sizes and strides (in elements) of a joint walk, innermost dim first; rank >= 1. Operand 0 is the output.
struct LoopPlan {
  static constexpr std::size_t kOperands = 4;
  int rank = 1;
  std::array<std::int64_t, kMaxRank> sizes{};
  std::array<std::array<std::int64_t, kMaxRank>, kOperands> strides{};
};

/// The plan for operands that broadcast to the shape of the first.
LoopPlan plan_loop(std::span<const Array* const> operands);

namespace detail {

/// A pointer with its strides over the elements of a row and over rows.
template <class T>
struct Lane {
  T* p;
  std::int64_t inner, outer;
  T* row(std::int64_t r) const { return p + r * outer; }
};

template <class T>
struct Row {
  const T* p;
  T operator[](std::int64_t i) const { return p[i]; }
};

template <class T>
struct Splat {
  T value;
  T operator[](std::int64_t) const { return value; }
};

template <class T>
struct Strided {
  const T* p;
  std::int64_t stride;
  T operator[](std::int64_t i) const { return p[i * stride]; }
};

template <class F, class Y, class... X>
TANDEM_INLINE void fill_row(F f, std::int64_t n, Y* y, X... x) {
  TANDEM_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<Y>(f(x[i]...));
}

/// y[r, i] = f(x[r, i]...) for r < rows, i < n. Flattened: a functor that is not inlined would not be vectorised.
template <class F, class Y, class... X>
TANDEM_TARGETS __attribute__((flatten)) void run_tile(F f, std::int64_t n, std::int64_t rows, Lane<Y> y,
                                                      Lane<const X>... x) {
  const bool is_plain = y.inner == 1 && ((x.inner == 1) && ...);
  for (std::int64_t r = 0; r < rows; ++r) {
    Y* out = y.row(r);
    if (is_plain) {
      fill_row(f, n, out, Row<X>{x.row(r)}...);
      continue;
    }
    if constexpr (sizeof...(X) == 2) {
      const bool done = [&](auto a, auto b) __attribute__((always_inline)) {
        using A = std::remove_const_t<std::remove_pointer_t<decltype(a.p)>>;
        using B = std::remove_const_t<std::remove_pointer_t<decltype(b.p)>>;
        if (y.inner != 1) return false;
        if (a.inner == 1 && b.inner == 0) {
          fill_row(f, n, out, Row<A>{a.row(r)}, Splat<B>{*b.row(r)});
        } else if (a.inner == 0 && b.inner == 1) {
          fill_row(f, n, out, Splat<A>{*a.row(r)}, Row<B>{b.row(r)});
        } else {
          return false;
        }
        return true;
      }
      (x...);
      if (done) continue;
    }
    for (std::int64_t i = 0; i < n; ++i) out[i * y.inner] = static_cast<Y>(f(Strided<X>{x.row(r), x.inner}[i]...));
  }
}

template <class F, class Y, class... X, std::size_t... I>
void run_rows(const LoopPlan& plan, std::int64_t begin, std::int64_t end, std::index_sequence<I...>, F f, Y* y,
              const X*... x) {
  std::array<std::int64_t, kMaxRank> index{};  // of dims 1 .. rank - 1
  std::int64_t rest = begin;
  for (int d = 1; d < plan.rank; ++d) {
    const auto k = static_cast<std::size_t>(d);
    index[k] = rest % plan.sizes[k];
    rest /= plan.sizes[k];
  }
  const auto offset = [&](std::size_t operand) {
    std::int64_t sum = 0;
    for (std::size_t d = 1; d < static_cast<std::size_t>(plan.rank); ++d) sum += index[d] * plan.strides[operand][d];
    return sum;
  };
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t count = std::min(end - row, plan.sizes[1] - index[1]);
    run_tile(f, plan.sizes[0], count, Lane<Y>{y + offset(0), plan.strides[0][0], plan.strides[0][1]},
             Lane<const X>{x + offset(I + 1), plan.strides[I + 1][0], plan.strides[I + 1][1]}...);
    row += count;
    index[1] += count;
    for (std::size_t d = 1; d + 1 < static_cast<std::size_t>(plan.rank) && index[d] == plan.sizes[d]; ++d) {
      index[d] = 0;
      ++index[d + 1];
    }
  }
}

template <class F, class Y, class... X, std::size_t... I>
void run_loop(const LoopPlan& plan, std::index_sequence<I...> operands, F f, Y* y, const X*... x) {
  const std::int64_t n = plan.sizes[0];
  if (plan.rank == 1) {
    parallel_for(n, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
      run_tile(f, end - begin, 1, Lane<Y>{y + begin * plan.strides[0][0], plan.strides[0][0], 0},
               Lane<const X>{x + begin * plan.strides[I + 1][0], plan.strides[I + 1][0], 0}...);
    });
    return;
  }
  std::int64_t rows = 1;
  for (std::size_t d = 1; d < static_cast<std::size_t>(plan.rank); ++d) rows *= plan.sizes[d];
  parallel_for(rows, std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, n)),
               [&](std::int64_t begin, std::int64_t end) { run_rows(plan, begin, end, operands, f, y, x...); });
}

}  // namespace detail

/// y[i] = f(x[i]...) over the plan; y may be one of the x when their strides are equal.
template <class F, class Y, class... X>
void run_loop(const LoopPlan& plan, F f, Y* y, const X*... x) {
  static_assert(sizeof...(X) < LoopPlan::kOperands);
  detail::run_loop(plan, std::index_sequence_for<X...>{}, f, y, x...);
}

}  // namespace tandem::kernels
