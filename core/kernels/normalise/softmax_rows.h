// Rows of numbers on their way through a softmax: what softmax.cpp and cross_entropy.cpp share. Private to them.
#pragma once

#include <cstdint>
#include <type_traits>

#include <tandem/core/array.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/vector_math.h>
#include <tandem/core/threads.h>

namespace tandem::kernels::detail {

TANDEM_INLINE float row_max(const float* x, std::int64_t n) { return strip<Max>(x, n, 1, Max::kIdentity<float>); }

TANDEM_INLINE float row_sum(const float* x, std::int64_t n) { return static_cast<float>(strip<Sum>(x, n, 1, 0)); }

/// e[i] = e^(x[i] - max x), the max returned.
template <class E>
TANDEM_INLINE float exponentials(const E* x, float* e, std::int64_t n) {
  if constexpr (std::is_same_v<E, float>) {
    const float largest = row_max(x, n);
    for (std::int64_t i = 0; i < n; ++i) e[i] = vector_math::exp(x[i] - largest);
    return largest;
  } else {
    for (std::int64_t i = 0; i < n; ++i) e[i] = static_cast<float>(x[i]);
    const float largest = row_max(e, n);
    for (std::int64_t i = 0; i < n; ++i) e[i] = vector_math::exp(e[i] - largest);
    return largest;
  }
}

/// f(begin, end, scratch [n]) for parts of the rows, on threads.
template <class F>
void each_part(std::int64_t rows, std::int64_t n, F&& f) {
  const Parts parts = parallel_parts(rows, row_grain(n));
  const auto run = [&](float* p) {
    parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) { f(begin, end, p + part * n); });
  };
  constexpr std::int64_t kOnStack = 1024;
  if (parts.number * n <= kOnStack) {
    float scratch[kOnStack];
    return run(scratch);
  }
  Array scratch = Array::empty({parts.number, n});
  run(scratch.data<float>());
}

}  // namespace tandem::kernels::detail
