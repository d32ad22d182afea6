// The naive twin of the elementwise kernels: one index at a time, in logical order, for any scalar type.
// f64, i64 and u8 run through it; tests hold the fast f32 loops against it.
#pragma once

#include <array>
#include <cstdint>

#include <tandem/core/array.h>

namespace tandem::kernels::reference {

using Index = std::array<std::int64_t, kMaxRank>;

/// Calls f(index) for every index of `shape` in row-major order.
template <class F>
void for_each_index(const Shape& shape, F f) {
  Index index{};
  for (std::int64_t left = shape.count(); left > 0; --left) {
    f(static_cast<const Index&>(index));
    for (int d = shape.rank() - 1; d >= 0; --d) {
      auto& i = index[static_cast<std::size_t>(d)];
      if (++i < shape[d]) break;
      i = 0;
    }
  }
}

/// Where the element `index` of x lies, counted from x's first; sizes of 1 are repeated, dims align at the right.
inline std::int64_t offset_of(const Array& x, const Index& index, int rank) {
  std::int64_t offset = 0;
  for (int d = 0; d < x.rank(); ++d) {
    if (x.shape(d) != 1) offset += index[static_cast<std::size_t>(d + rank - x.rank())] * x.stride(d);
  }
  return offset;
}

/// y[i] = f(x[i]...), every x broadcast to y's shape; scalars of the operands' types are named by Y and X.
template <class Y, class... X, class F, class... Arrays>
void map(Array& y, F f, const Arrays&... x) {
  Y* out = y.template data<Y>();
  for_each_index(y.shape(), [&](const Index& index) {
    out[offset_of(y, index, y.rank())] = static_cast<Y>(f(x.template data<X>()[offset_of(x, index, y.rank())]...));
  });
}

}  // namespace tandem::kernels::reference
