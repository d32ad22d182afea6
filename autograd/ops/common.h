// What the op files share. Private: users include <tandem/autograd/ops.h>.
// Not here: record() and Save (record.h). Read next: arithmetic.cpp, the simplest ops.
#pragma once

#include <cstdint>

#include <tandem/autograd/array_ops.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>

namespace tandem::ops {

// Bits for Save's for_inputs: "this value is used by the gradient of input 0", and so on.
inline constexpr std::uint64_t kInput0 = 1, kInput1 = 2;

/// The value of x. Throws Error "op: x is not defined" when there is none.
inline const Array& value_of(const char* op, const char* name, const Tensor& x) {
  if (!x.defined()) require_defined(op, name, Array());
  return x.value();
}

/// The value of x, which must be floating: "op: x is i64, must be floating: x [8]".
const Array& floating(const char* op, const char* name, const Tensor& x);

/// dy where y > 0, else 0: linear in dy, constant in y.
Tensor relu_grad(const Tensor& dy, const Array& y);

/// dy where y > 0, else slope dy: linear in dy, constant in y.
Tensor leaky_relu_grad(const Tensor& dy, const Array& y, double slope);
/// Throws Error "op: slope is -1, must be at least 0": else an output does not tell the sign of what it comes from.
void require_slope(const char* op, double slope);

/// x as products take it: f32 and f16 as bf16 inside an autocast scope.
Tensor autocasted(const Tensor& x);

/// y = a b of numbers rounded to bf16, as `dtype`;  da = dy b^T, db = a^T dy, in the dtypes of a and b.
Tensor bf16_matmul(const Tensor& a, const Tensor& b, DType dtype);

/// x w^T + b in bf16 where x is bf16, with w and b of bf16 or f32; bf16 sums are given as `dtype`. `slope`: u where the
/// sum u > 0, else slope u.
Array linear_value(const Tensor& x, const Tensor& w, const Tensor& b, DType dtype = DType::bf16, double slope = 1);
/// The gradients of y = x w^T + b by x, w and b: dy w, dy^T x, and sum dy over all but the last dim. Of bf16 x:
/// products in bf16, gradients of f32 weights in f32.
struct LinearGrads {
  LinearGrads(const Tensor& x, const Tensor& w, const Tensor& b);
  Grads operator()(const Tensor& dy, const Tensor& x, const Tensor& w, Needs needs) const;

  DType of_x, of_w, of_b;
};

/// sum dy over dims, added up and given as `dtype`.
Tensor sum_as(const Tensor& dy, const Dims& dims, DType dtype);

/// The same numbers in another memory order.
Tensor to_layout(const Tensor& x, Layout layout);

}  // namespace tandem::ops
