// Matrix products. Transposes are views that the kernel reads where they lie.
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/reduce/reduce.h>

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

Array as_matrix(const Array& x) {
  if (x.rank() == 2) return x;
  Shape rows = x.shape();
  rows.erase(-1);
  return x.reshape({rows.count(), x.shape(-1)});
}

/// linear_grads by kernels alone.
Grads plain_linear_grads(const Array& dy, const Tensor& x, const Tensor& w, Needs needs) {
  const Array rows = as_matrix(dy);  // (rows, out)
  Grads grads(3);
  if (needs[0]) {
    Array dx = kernels::matmul(rows, w.value());
    Shape shape = dy.shape();
    shape[-1] = dx.shape(1);
    grads[0] = dx.reshape(shape);
  }
  const bool has_places = dy.dtype() == DType::f32 && (!needs[1] || x.dtype() == DType::f32);
  if (needs[1]) {
    const Array columns = rows.transpose(0, 1), inputs = as_matrix(x.value());  // (out, rows), (rows, in)
    if (Array* const dw = has_places ? needs.place(1) : nullptr) {
      kernels::matmul_into(columns, inputs, *dw);
    } else {
      grads[1] = kernels::matmul(columns, inputs);
    }
  }
  if (needs[2]) {
    if (Array* const db = has_places ? needs.place(2) : nullptr) {
      kernels::sum_rows_into(rows, *db);
    } else {
      grads[2] = kernels::sum(rows, {0});
    }
  }
  return grads;
}

}  // namespace

namespace ops {

Grads linear_grads(const Tensor& dy, const Tensor& x, const Tensor& w, Needs needs) {
  if (!is_recording()) return plain_linear_grads(dy.value(), x, w, needs);
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

}  // namespace tandem
