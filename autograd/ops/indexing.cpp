// Single elements and dims, one_hot, and the indices of x[i] and x(slice(0, 5), all, -1): by slice and views, whose
// gradients these have. Not here: slices of one dim (slice.cpp), elements by an index Tensor (gather.cpp).
#include <fmt/format.h>

#include <tandem/autograd/array_ops.h>
#include <tandem/core/kernels/move/index.h>

#include "common.h"

namespace tandem {

using ops::value_of;

/// y = x without a dim of size 1;  dx = dy with it
Tensor squeeze(const Tensor& x, int dim) {
  const Array& value = value_of("squeeze", "x", x);
  dim = normalize_dim("squeeze", dim, value.rank());
  return record("squeeze", value.squeeze(dim), {x}, {},
                [dim](const Tensor& dy, const Saved&, Needs) { return Grads{unsqueeze(dy, dim)}; });
}

/// y = x with a dim of size 1;  dx = dy without it
Tensor unsqueeze(const Tensor& x, int dim) {
  const Array& value = value_of("unsqueeze", "x", x);
  dim = normalize_dim("unsqueeze", dim, value.rank() + 1);
  return record("unsqueeze", value.unsqueeze(dim), {x}, {},
                [dim](const Tensor& dy, const Saved&, Needs) { return Grads{squeeze(dy, dim)}; });
}

/// y[...] = x[..., index, ...];  dx = dy there, 0 elsewhere
Tensor select(const Tensor& x, int dim, std::int64_t index) {
  const Array& value = value_of("select", "x", x);
  dim = normalize_dim("select", dim, value.rank());
  const std::int64_t at = normalize_index("select", value.shape(), dim, index);
  return squeeze(slice(x, dim, at, at + 1), dim);
}

/// y = x in row-major memory;  dx = dy
Tensor contiguous(const Tensor& x) {
  const Array& value = value_of("contiguous", "x", x);
  if (value.is_contiguous()) return x;
  return record("contiguous", value.contiguous(), {x}, {},
                [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; });
}

Tensor index(const Tensor& x, const std::vector<Index>& indices) {
  const Array& value = value_of("index", "x", x);
  if (static_cast<int>(indices.size()) > value.rank()) {
    fail("index", fmt::format("{} indices for {} dims", indices.size(), value.rank()),
         fmt::format("x {}", to_string(value.shape())));
  }
  Tensor y = x;
  int dim = 0;
  for (const Index& one : indices) {
    if (one.is_element()) {
      y = select(y, dim, one.element());
      continue;
    }
    const Slice& part = one.slice();
    y = slice(y, dim, part.begin, part.end == kToEnd ? y.shape(dim) : part.end, part.step);
    ++dim;
  }
  return y;
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype) {
  return kernels::one_hot(value_of("one_hot", "labels", labels), classes, dtype);
}

Tensor Tensor::operator[](std::int64_t element) const { return select(*this, 0, element); }

Tensor Tensor::at(const std::vector<Index>& indices) const { return index(*this, indices); }

}  // namespace tandem
