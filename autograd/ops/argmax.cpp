// Where the largest and the smallest are: results without gradient.
// Not here: max and min, which have one (reduce.cpp).
#include <tandem/autograd/array_ops.h>
#include <tandem/core/kernels/reduce/reduce.h>

#include "common.h"

namespace tandem {

Tensor argmax(const Tensor& x, int dim) {
  const Array& value = ops::value_of("argmax", "x", x);
  return kernels::argmax(value, normalize_dim("argmax", dim, value.rank()));
}

Tensor argmin(const Tensor& x, int dim) {
  const Array& value = ops::value_of("argmin", "x", x);
  return kernels::argmin(value, normalize_dim("argmin", dim, value.rank()));
}

std::pair<Tensor, Tensor> topk(const Tensor& x, std::int64_t k, int dim) {
  const Array& value = ops::value_of("topk", "x", x);
  auto [values, indices] = kernels::topk(value, k, normalize_dim("topk", dim, value.rank()));
  return {std::move(values), std::move(indices)};
}

}  // namespace tandem
