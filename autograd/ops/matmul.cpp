// Matrix products. Transposes are views that the kernel reads where they lie.
#include <tandem/autograd/autocast.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
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

/// Weights are rounded to bf16 as they are packed; what layers hand on is rounded once, for forward and backward.
Tensor factor(const Tensor& x) { return x.is_leaf() && x.requires_grad() ? x : ops::autocasted(x); }

bool is_bf16_or_f32(const Array& x) { return x.dtype() == DType::bf16 || x.dtype() == DType::f32; }

}  // namespace

namespace ops {

Tensor bf16_matmul(const Tensor& a, const Tensor& b, DType dtype) {
  return record("matmul", kernels::bf16_matmul(a.value(), b.value(), dtype), {a, b},
                {Save(a, kInput1), Save(b, kInput0)},
                [shape_a = a.shape(), shape_b = b.shape(), of_a = a.dtype(), of_b = b.dtype()](
                    const Tensor& dy, const Saved& saved, Needs needs) {
                  Grads grads(2);
                  if (needs[0]) grads[0] = sum_to(bf16_matmul(dy, transpose(saved[1], -2, -1), of_a), shape_a);
                  if (needs[1]) grads[1] = sum_to(bf16_matmul(transpose(saved[0], -2, -1), dy, of_b), shape_b);
                  return grads;
                });
}

Array linear_value(const Tensor& x, const Tensor& w, const Tensor& b, DType dtype, double slope) {
  const Array bias = b.defined() ? b.value() : Array();
  if (x.dtype() == DType::bf16) return kernels::bf16_linear(x.value(), w.value(), bias, dtype, slope);
  return kernels::linear(x.value(), w.value(), bias, slope);
}

LinearGrads::LinearGrads(const Tensor& x, const Tensor& w, const Tensor& b)
    : of_x(x.dtype()), of_w(w.dtype()), of_b(b.defined() ? b.dtype() : w.dtype()) {}

Grads LinearGrads::operator()(const Tensor& dy, const Tensor& x, const Tensor& w, Needs needs) const {
  const bool narrow = of_x == DType::bf16;
  if (!is_recording() && !narrow && dy.dtype() == of_x && of_w == of_x && of_b == of_x)
    return plain_linear_grads(dy.value(), x, w, needs);
  const Tensor rows = as_matrix(narrow ? to(dy, DType::bf16) : dy);  // (rows, out)
  const auto product = [narrow](const Tensor& a, const Tensor& b, DType dtype) {
    return narrow ? bf16_matmul(a, b, dtype) : matmul(a, b);
  };
  Grads grads(3);
  if (needs[0]) {
    Shape shape = dy.shape();
    shape[-1] = w.shape(1);
    grads[0] = reshape(product(rows, w, of_x), shape);
  }
  if (needs[1]) grads[1] = product(transpose(rows, 0, 1), as_matrix(x), of_w);
  if (needs[2]) grads[2] = sum_as(as_matrix(dy), {0}, of_b);
  return grads;
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
  if (autocast_dtype() == DType::bf16 && is_bf16_or_f32(left) && is_bf16_or_f32(right))
    return ops::bf16_matmul(factor(a), factor(b), DType::bf16);
  return record("matmul", kernels::matmul(left, right), {a, b}, {Save(a, kInput1), Save(b, kInput0)},
                [shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? sum_to(matmul(dy, transpose(saved[1], -2, -1)), shape_a) : Tensor{},
                               needs[1] ? sum_to(matmul(transpose(saved[0], -2, -1), dy), shape_b) : Tensor{}};
                });
}

/// y = x w^T + b;  dx = dy w, dw = dy^T x, db = sum dy over all but the last dim
Tensor linear(const Tensor& given, const Tensor& w, const Tensor& b) {
  const Tensor x = ops::autocasted(given);
  floating("linear", "x", x), floating("linear", "w", w);
  return record("linear", ops::linear_value(x, w, b), {x, w, b}, {Save(x, kInput1), Save(w, kInput0)},
                [grads = ops::LinearGrads(x, w, b)](const Tensor& dy, const Saved& saved, Needs needs) {
                  return grads(dy, saved[0], saved[1], needs);
                });
}

/// y = u where u > 0, else slope u, with u = x w^T + b;  du = dy where y > 0, else slope dy
Tensor linear_leaky_relu(const Tensor& given, const Tensor& w, const Tensor& b, double slope) {
  constexpr const char* kOp = "linear_leaky_relu";
  ops::require_slope(kOp, slope);
  const Tensor x = ops::autocasted(given);
  floating(kOp, "x", x), floating(kOp, "w", w);
  Array y = ops::linear_value(x, w, b, DType::bf16, slope);
  return record(kOp, std::move(y), {x, w, b}, {Save(x, kInput1), Save(w, kInput0), Save::output()},
                [slope, grads = ops::LinearGrads(x, w, b)](const Tensor& dy, const Saved& saved, Needs needs) {
                  return grads(ops::leaky_relu_grad(dy, saved[2].value(), slope), saved[0], saved[1], needs);
                });
}

}  // namespace tandem
