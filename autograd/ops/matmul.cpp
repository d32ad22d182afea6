// Matrix products. Transposes are views that the kernel reads where they lie.
#include <tandem/core/kernels/product/matmul.h>

#include "common.h"

namespace tandem {

using ops::floating, ops::kInput0, ops::kInput1;

namespace {

/// x [..., n] as a matrix [rows, n].
Tensor as_matrix(const Tensor& x) {
  Shape rows = x.shape();
  rows.erase(-1);
  return reshape(x, {rows.count(), x.shape(-1)});
}

}  // namespace

namespace ops {

Grads linear_grads(const Tensor& dy, const Tensor& x, const Tensor& w, Needs needs) {
  const Tensor rows = as_matrix(dy);  // (rows, out)
  Tensor dx;
  if (needs[0]) dx = dy.rank() == 1 ? reshape(matmul(rows, w), {w.shape(1)}) : matmul(dy, w);
  return {dx, needs[1] ? matmul(transpose(rows, 0, 1), as_matrix(x)) : Tensor{}, needs[2] ? sum(rows, {0}) : Tensor{}};
}

}  // namespace ops

/// y = a b;  da = dy b^T, db = a^T dy
Tensor matmul(const Tensor& a, const Tensor& b) {
  const Array &left = floating("matmul", "a", a), &right = floating("matmul", "b", b);
  if (left.rank() > 2 && right.rank() == 2 && left.shape(-1) == right.shape(0)) {
    Shape shape = left.shape();  // one large product instead of many small ones
    shape[-1] = right.shape(1);
    return reshape(matmul(as_matrix(a), b), shape);
  }
  return record("matmul", kernels::matmul(left, right), {a, b}, {Save(a, kInput1), Save(b, kInput0)},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? sum_to(matmul(dy, transpose(saved[1], -2, -1)), shape_a) : Tensor{},
                               needs[1] ? sum_to(matmul(transpose(saved[0], -2, -1), dy), shape_b) : Tensor{}};
                });
}

/// y = x w^T + b;  dx = dy w, dw = dy^T x, db = sum dy over all but the last dim
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) {
  Array y = kernels::linear(floating("linear", "x", x), floating("linear", "w", w), b.defined() ? b.value() : Array());
  return record("linear", std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0)},
                [](const Tensor& dy, const Saved& saved, Needs needs) {
                  return ops::linear_grads(dy, saved[0], saved[1], needs);
                });
}

/// y = u where u > 0, else slope u, with u = x w^T + b;  du = dy where y > 0, else slope dy
Tensor linear_leaky_relu(const Tensor& x, const Tensor& w, const Tensor& b, double slope) {
  constexpr const char* kOp = "linear_leaky_relu";
  ops::require_slope(kOp, slope);
  Array y = kernels::linear(floating(kOp, "x", x), floating(kOp, "w", w), b.defined() ? b.value() : Array(), slope);
  return record(kOp, std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0), Save::output()},
                [slope](const Tensor& dy, const Saved& saved, Needs needs) {
                  return ops::linear_grads(ops::leaky_relu_grad(dy, saved[2].value(), slope), saved[0], saved[1],
                                           needs);
                });
}

}  // namespace tandem
