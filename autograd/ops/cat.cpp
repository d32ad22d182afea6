// Joining along an existing dim (cat) and along a new one (stack). Gradients are slices: views of dy.
#include <tandem/core/kernels/move/index.h>

#include "common.h"

namespace tandem {

/// y = xs side by side at dim;  dx_i = the part of dy where x_i lies
Tensor cat(const std::vector<Tensor>& xs, int dim) {
  std::vector<Array> values;
  values.reserve(xs.size());
  for (const Tensor& x : xs) values.push_back(ops::value_of("cat", "x", x));
  Array y = kernels::concatenate(values, dim);
  dim = normalize_dim("cat", dim, y.rank());
  std::vector<std::int64_t> sizes;
  for (const Array& value : values) sizes.push_back(value.shape(dim));
  return record("cat", std::move(y), xs, {},
                [dim, sizes = std::move(sizes)](const Tensor& dy, const Saved&, Needs needs) {
                  Grads grads(sizes.size());
                  std::int64_t begin = 0;
                  for (std::size_t i = 0; i < sizes.size(); begin += sizes[i++]) {
                    if (needs[i]) grads[i] = slice(dy, dim, begin, begin + sizes[i]);
                  }
                  return grads;
                });
}

/// y[..., i, ...] = x_i;  dx_i = dy[..., i, ...]
Tensor stack(const std::vector<Tensor>& xs, int dim) {
  std::vector<Array> values;
  values.reserve(xs.size());
  for (const Tensor& x : xs) values.push_back(ops::value_of("stack", "x", x));
  const Shape shape = values.empty() ? Shape() : values.front().shape();
  if (!values.empty()) dim = normalize_dim("stack", dim, shape.rank() + 1);
  for (Array& value : values) {
    if (!(value.shape() == shape)) {
      fail("stack", "all shapes must be equal", "x " + to_string(shape) + " and " + to_string(value.shape()));
    }
    value = value.unsqueeze(dim);
  }
  return record("stack", kernels::concatenate(values, dim), xs, {},
                [dim, shape, count = xs.size()](const Tensor& dy, const Saved&, Needs needs) {
                  Grads grads(count);
                  for (std::size_t i = 0; i < count; ++i) {
                    const auto place = static_cast<std::int64_t>(i);
                    if (needs[i]) grads[i] = reshape(slice(dy, dim, place, place + 1), shape);
                  }
                  return grads;
                });
}

}  // namespace tandem
