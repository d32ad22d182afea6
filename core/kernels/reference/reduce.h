// The naive twins of the reductions: one index at a time, in logical order, for any scalar type.
// f64, i64 and u8 run through them; tests hold the fast f32 reductions against them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/kernels/reference/elementwise.h>

namespace tandem::kernels::reference {

/// y[j] = combine(y[j], x[i]) for every i, j being i with the reduced dims (size 1 in y, same rank) at 0.
template <class Y, class X, class F>
void reduce(Array& y, const Array& x, F combine) {
  Y* out = y.template data<Y>();
  const X* in = x.template data<X>();
  for_each_index(x.shape(), [&](const Index& index) {
    Y& total = out[offset_of(y, index, x.rank())];
    total = combine(total, static_cast<Y>(in[offset_of(x, index, x.rank())]));
  });
}

/// The order of topk: larger first, NaN before all, the first of equals first.
template <class T>
bool ranks_before(T a, std::int64_t index_a, T b, std::int64_t index_b) {
  const bool a_is_nan = a != a, b_is_nan = b != b;
  if (a_is_nan || b_is_nan) return a_is_nan && b_is_nan ? index_a < index_b : a_is_nan;
  return a == b ? index_a < index_b : a > b;
}

/// The indices of the k elements p[i * stride], i < n, that rank first.
template <class T>
std::vector<std::int64_t> topk_indices(const T* p, std::int64_t n, std::int64_t stride, std::int64_t k) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
  std::partial_sort(order.begin(), order.begin() + k, order.end(),
                    [&](std::int64_t a, std::int64_t b) { return ranks_before(p[a * stride], a, p[b * stride], b); });
  order.resize(static_cast<std::size_t>(k));
  return order;
}

}  // namespace tandem::kernels::reference
