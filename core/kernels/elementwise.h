// Elementwise kernels with broadcasting: y[i] = f(a[i], b[i], ...). Outputs follow layout.h; bf16 computes in f32.
// f32 runs vectorised and threaded, other dtypes through reference/elementwise.h, its naive twin.
// Not here: gradients (autograd/ops), reductions (reduce.h). Read next: elementwise.cpp.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

// Two inputs of one dtype (Error otherwise), broadcast to a common shape. Integers wrap modulo 2^n; a division by 0 and
// a negative power of 0 are Errors.
Array add(const Array& a, const Array& b);
Array subtract(const Array& a, const Array& b);
Array multiply(const Array& a, const Array& b);
Array divide(const Array& a, const Array& b);
Array power(const Array& a, const Array& b);
Array maximum(const Array& a, const Array& b);
Array minimum(const Array& a, const Array& b);
/// 1 where true, else 0, in the dtype of the inputs.
Array equal(const Array& a, const Array& b);
Array greater(const Array& a, const Array& b);
Array greater_equal(const Array& a, const Array& b);

// With a number.
Array add(const Array& x, double c);
Array multiply(const Array& x, double c);
/// x^c.
Array power(const Array& x, double c);
/// 1 where x > c, else 0.
Array greater(const Array& x, double c);
/// min(max(x, low), high).
Array clamp(const Array& x, double low, double high);
/// dy where low <= x <= high, else 0.
Array clamp_grad(const Array& dy, const Array& x, double low, double high);

// One input.
Array negate(const Array& x);
Array absolute(const Array& x);
/// -1, 0 or 1.
Array sign(const Array& x);
Array exp(const Array& x);
Array log(const Array& x);
Array sqrt(const Array& x);
Array reciprocal(const Array& x);
Array square(const Array& x);
Array sin(const Array& x);
Array cos(const Array& x);
Array erf(const Array& x);
Array tanh(const Array& x);
/// 1 / (1 + e^-x).
Array sigmoid(const Array& x);
/// log(1 + e^x), without overflow.
Array softplus(const Array& x);
Array relu(const Array& x);
/// x where x > 0, else slope * x.
Array leaky_relu(const Array& x, double slope);
/// x where x > 0, else alpha * (e^x - 1).
Array elu(const Array& x, double alpha);
/// x * Phi(x), Phi the normal distribution function (exact, by erf).
Array gelu(const Array& x);
/// x * sigmoid(x).
Array silu(const Array& x);

// Gradients in one pass: dx from dy and what forward left.
/// 0 where y <= 0, else dy: of a NaN too.
Array relu_grad(const Array& dy, const Array& y);
Array leaky_relu_grad(const Array& dy, const Array& x, double slope);
/// dy * (x > 0 ? 1 : alpha e^x).
Array elu_grad(const Array& dy, const Array& x, double alpha);
/// dy * (Phi(x) + x * phi(x)).
Array gelu_grad(const Array& dy, const Array& x);
/// dy * s * (1 + x * (1 - s)), s = sigmoid(x).
Array silu_grad(const Array& dy, const Array& x);
/// dy * y * (1 - y).
Array sigmoid_grad(const Array& dy, const Array& y);
/// dy * (1 - y^2).
Array tanh_grad(const Array& dy, const Array& y);

/// condition (any dtype, not 0 = true) ? a : b, all broadcast.
Array where(const Array& condition, const Array& a, const Array& b);

// In place; the change is marked. y and x have one shape, any strides and memory; a y that shows a number more than
// once is an Error.
/// y += x.
void add_into(Array& y, const Array& x);
/// y *= c.
void scale_into(Array& y, double c);

/// True when every element is finite. Threaded; f32, f64, bf16; integers are always finite.
bool all_finite(const Array& x);

}  // namespace tandem::kernels
