// Reductions over dims, and sum_to, the transpose of broadcasting. Gradients are expanded views, not copies.
// Not here: argmax and topk (argmax.cpp), losses.
#include <fmt/format.h>

#include <tandem/autograd/array_ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>

#include "common.h"

namespace tandem {

using ops::floating, ops::value_of;

/// y = sum x;  dx = dy, repeated
Tensor sum(const Tensor& x, const Dims& dims, bool keep) {
  Array y = kernels::sum(value_of("sum", "x", x), dims, keep);
  return record("sum", std::move(y), {x}, {},
                [shape = x.shape(), kept = dims.kept("sum", x.shape())](const Tensor& dy, const Saved&, Needs) {
                  return Grads{expand(reshape(dy, kept), shape)};
                });
}

/// y = sum x / n;  dx = dy / n, repeated
Tensor mean(const Tensor& x, const Dims& dims, bool keep) {
  const Array& value = floating("mean", "x", x);
  const Shape kept = dims.kept("mean", x.shape());
  const double n = static_cast<double>(x.size()) / static_cast<double>(kept.count());
  return record("mean", kernels::mean(value, dims, keep), {x}, {},
                [shape = x.shape(), kept, n](const Tensor& dy, const Saved&, Needs) {
                  return Grads{expand(reshape(dy / n, kept), shape)};
                });
}

namespace {

/// y = the chosen of x;  dx = dy / m at each of the m places that hold it
Tensor record_chosen(const char* op, Array y, const Tensor& x, const Dims& dims) {
  return record(op, std::move(y), {x}, {Save(x.value()), Save::output()},
                [dims, kept = dims.kept(op, x.shape())](const Tensor& dy, const Saved& saved, Needs) {
                  const Array &value = saved[0].value(), &chosen = saved[1].value();
                  const Array is_chosen = kernels::equal(value, chosen.reshape(kept)).to(value.dtype());
                  const Array share = kernels::divide(is_chosen, kernels::sum(is_chosen, dims, true));
                  return Grads{reshape(dy, kept) * share};
                });
}

}  // namespace

Tensor max(const Tensor& x, const Dims& dims, bool keep) {
  return record_chosen("max", kernels::max(floating("max", "x", x), dims, keep), x, dims);
}

Tensor min(const Tensor& x, const Dims& dims, bool keep) {
  return record_chosen("min", kernels::min(floating("min", "x", x), dims, keep), x, dims);
}

/// y = sum (x - m)^2 / (n - correction), m = mean x;  dx = 2 (x - m) dy / (n - correction)
Tensor var(const Tensor& x, const Dims& dims, bool keep, int correction) {
  const Array& value = floating("var", "x", x);
  const Shape kept = dims.kept("var", x.shape());
  const std::int64_t n = kept.count() == 0 ? 0 : x.size() / kept.count();
  if (n <= correction) {
    fail("var", fmt::format("{} values are too few for correction {}", n, correction),
         fmt::format("x {}, dims {}", to_string(x.shape()), dims.to_string()));
  }
  const double divisor = static_cast<double>(n - correction);
  const Array difference = kernels::subtract(value, kernels::mean(value, dims, true));
  Array y = kernels::multiply(kernels::sum(kernels::square(difference), dims, keep), 1 / divisor);
  return record("var", std::move(y), {x}, {x}, [dims, kept, divisor](const Tensor& dy, const Saved& saved, Needs) {
    return Grads{(saved[0] - mean(saved[0], dims, true)) * reshape(dy * (2 / divisor), kept)};
  });
}

/// y = x summed down to shape;  dx = dy, repeated
Tensor sum_to(const Tensor& x, const Shape& shape) {
  const Array& value = value_of("sum_to", "x", x);
  if (x.shape() == shape) return x;
  return record("sum_to", kernels::sum_to(value, shape), {x}, {},
                [from = x.shape()](const Tensor& dy, const Saved&, Needs) { return Grads{expand(dy, from)}; });
}

}  // namespace tandem
