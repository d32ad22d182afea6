// The naive twins of the kernels that move elements by an index: one position at a time, in logical order.
// Indices are taken as checked. Any scalar type.
#pragma once

#include <cstdint>

#include <tandem/core/array.h>
#include <tandem/core/kernels/reference/elementwise.h>

namespace tandem::kernels::reference {

/// y[p] = x[q], q being p with index[p] at `dim`; y has index's shape.
template <class T>
void gather(Array& y, const Array& x, int dim, const Array& index) {
  for_each_index(index.shape(), [&](const Index& p) {
    Index q = p;
    q[static_cast<std::size_t>(dim)] = index.data<std::int64_t>()[offset_of(index, p, index.rank())];
    y.data<T>()[offset_of(y, p, y.rank())] = x.data<T>()[offset_of(x, q, x.rank())];
  });
}

/// y[q] += dy[p], q being p with index[p] at `dim`; y's elements are Y.
template <class Y, class T = Y>
void gather_add(Array& y, const Array& dy, int dim, const Array& index) {
  for_each_index(index.shape(), [&](const Index& p) {
    Index q = p;
    q[static_cast<std::size_t>(dim)] = index.data<std::int64_t>()[offset_of(index, p, index.rank())];
    Y& total = y.data<Y>()[offset_of(y, q, y.rank())];
    total = static_cast<Y>(total + static_cast<Y>(dy.data<T>()[offset_of(dy, p, dy.rank())]));
  });
}

/// y[index[j], c] += dy[j, c] for row-major y, dy and index: `rows` rows of n.
template <class T>
void take_rows_add(T* y, const T* dy, const std::int64_t* index, std::int64_t rows, std::int64_t n) {
  for (std::int64_t j = 0; j < rows; ++j) {
    for (std::int64_t c = 0; c < n; ++c) y[index[j] * n + c] = static_cast<T>(y[index[j] * n + c] + dy[j * n + c]);
  }
}

}  // namespace tandem::kernels::reference
