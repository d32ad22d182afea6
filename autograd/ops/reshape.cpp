// Ops that look at the same numbers in another shape: views where strides allow.
// Not here: slice and pad (slice.cpp), cat and stack (cat.cpp).
#include <fmt/format.h>

#include "common.h"

namespace tandem {

using ops::value_of;

namespace ops {

Tensor to_layout(const Tensor& x, Layout layout) {
  return record("to_layout", x.value().to_layout(layout), {x}, {},
                [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; });
}

}  // namespace ops

/// y = x in logical order;  dx = dy in x's shape, in x's layout
Tensor reshape(const Tensor& x, const Shape& shape) {
  Array y = value_of("reshape", "x", x).reshape(shape);
  if (y.shape() == x.shape()) return x;
  // Channels-last travels on to the backward of the layers below.
  const bool channels_last = x.rank() == 4 && x.value().layout() == Layout::channels_last;
  return record("reshape", std::move(y), {x}, {},
                [from = x.shape(), channels_last](const Tensor& dy, const Saved&, Needs) {
                  const Tensor dx = reshape(dy, from);
                  return Grads{channels_last ? ops::to_layout(dx, Layout::channels_last) : dx};
                });
}

Tensor flatten(const Tensor& x, int begin, int end) {
  const Shape& from = value_of("flatten", "x", x).shape();
  begin = normalize_dim("flatten", begin, from.rank());
  end = normalize_dim("flatten", end, from.rank());
  if (begin > end) {
    fail("flatten", "begin is after end", fmt::format("begin {}, end {}, x {}", begin, end, to_string(from)));
  }
  Shape shape;
  std::int64_t joined = 1;
  for (int dim = 0; dim < from.rank(); ++dim) {
    if (dim < begin || dim > end) {
      shape.push_back(from[dim]);
      continue;
    }
    joined *= from[dim];
    if (dim == end) shape.push_back(joined);
  }
  return reshape(x, shape);
}

/// y[i_dims[0], i_dims[1], ...] = x[i_0, i_1, ...];  dx = dy permuted back
Tensor permute(const Tensor& x, const std::vector<int>& dims) {
  Array y = value_of("permute", "x", x).permute(dims);
  std::vector<int> inverse(dims.size());
  for (std::size_t i = 0; i < dims.size(); ++i) {
    inverse[static_cast<std::size_t>(normalize_dim("permute", dims[i], x.rank()))] = static_cast<int>(i);
  }
  return record(
      "permute", std::move(y), {x}, {},
      [inverse = std::move(inverse)](const Tensor& dy, const Saved&, Needs) { return Grads{permute(dy, inverse)}; });
}

/// y = x with two dims exchanged;  dx = dy with them exchanged
Tensor transpose(const Tensor& x, int dim_a, int dim_b) {
  const Array& value = value_of("transpose", "x", x);
  dim_a = normalize_dim("transpose", dim_a, value.rank());
  dim_b = normalize_dim("transpose", dim_b, value.rank());
  return record("transpose", value.transpose(dim_a, dim_b), {x}, {},
                [dim_a, dim_b](const Tensor& dy, const Saved&, Needs) { return Grads{transpose(dy, dim_a, dim_b)}; });
}

/// y = x, repeated;  dx = dy summed down
Tensor expand(const Tensor& x, const Shape& shape) {
  const Array& value = value_of("expand", "x", x);
  if (x.shape() == shape) return x;
  return record("expand", value.expand(shape), {x}, {},
                [from = x.shape()](const Tensor& dy, const Saved&, Needs) { return Grads{sum_to(dy, from)}; });
}

/// y = x in memory of its own;  dx = dy
Tensor clone(const Tensor& x) {
  return record("clone", value_of("clone", "x", x).clone(), {x}, {},
                [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; });
}

}  // namespace tandem
