// Parts of a dim (views, also strided) and their transposes: slice_grad and pad.
// Not here: joining (cat.cpp), elements by an index (gather.cpp).
#include <tandem/core/kernels/move/index.h>

#include "common.h"

namespace tandem {

using ops::value_of;

/// y[j] = x[begin + j step] at dim;  dx = slice_grad(dy): zeros elsewhere
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const Array& value = value_of("slice", "x", x);
  dim = normalize_dim("slice", dim, value.rank());
  const std::pair<std::int64_t, std::int64_t> range = normalize_range("slice", value.shape(), dim, begin, end, step);
  const std::int64_t first = range.first, last = range.second;
  if (first == 0 && last == value.shape(dim) && step == 1) return x;
  return record("slice", value.slice(dim, first, last, step), {x}, {},
                [shape = x.shape(), dim, first, last, step](const Tensor& dy, const Saved&, Needs) {
                  return Grads{slice_grad(dy, shape, dim, first, last, step)};
                });
}

/// y = zeros of shape with y.slice(...) = dy;  its gradient is the slice again
Tensor slice_grad(const Tensor& dy, const Shape& shape, int dim, std::int64_t begin, std::int64_t end,
                  std::int64_t step) {
  Array y = kernels::slice_grad(value_of("slice_grad", "dy", dy), shape, dim, begin, end, step);
  return record("slice_grad", std::move(y), {dy}, {}, [dim, begin, end, step](const Tensor& g, const Saved&, Needs) {
    return Grads{slice(g, dim, begin, end, step)};
  });
}

/// y = x with before[d] and after[d] elements of value round it;  dx = the part of dy where x lies
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after,
           double value) {
  Array y = kernels::pad(value_of("pad", "x", x), before, after, value);
  return record("pad", std::move(y), {x}, {}, [before, shape = x.shape()](const Tensor& dy, const Saved&, Needs) {
    Tensor dx = dy;
    for (int dim = 0; dim < shape.rank(); ++dim) {
      const std::int64_t begin = before[static_cast<std::size_t>(dim)];
      dx = slice(dx, dim, begin, begin + shape[dim]);
    }
    return Grads{dx};
  });
}

}  // namespace tandem
