// Elementwise kernels with broadcasting: y[i] = f(a[i], b[i], ...). Outputs follow layout.h. Dtypes are promoted by
// result_type (dtype.h); bf16 and f16 compute in f32, whole numbers in i64, and wrap.
// Not here: gradients (autograd/ops), reductions (reduce.h). Read next: elementwise.cpp.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

// Two inputs, broadcast to a common shape. Whole numbers wrap modulo 2^n; a negative power of 0 is an Error.
Array add(const Array& a, const Array& b);
Array subtract(const Array& a, const Array& b);
Array multiply(const Array& a, const Array& b);
/// Whole numbers give f32.
Array divide(const Array& a, const Array& b);
/// Negative powers of whole numbers are cut to whole numbers.
Array power(const Array& a, const Array& b);
Array maximum(const Array& a, const Array& b);
Array minimum(const Array& a, const Array& b);
// Comparisons give bool.
Array equal(const Array& a, const Array& b);
Array greater(const Array& a, const Array& b);
Array greater_equal(const Array& a, const Array& b);

// With a number: a whole one keeps the dtype of whole numbers (Error where it does not fit), any other makes them f32.
Array add(const Array& x, double c);
Array multiply(const Array& x, double c);
/// x^c.
Array power(const Array& x, double c);
Array equal(const Array& x, double c);
Array greater(const Array& x, double c);
Array greater_equal(const Array& x, double c);
Array less(const Array& x, double c);
Array less_equal(const Array& x, double c);
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

// In place; the change is marked. y and x have one shape and dtype, any strides and memory; a y that shows a number
// more than once is an Error.
/// y += x.
void add_into(Array& y, const Array& x);
/// y *= c.
void scale_into(Array& y, double c);

/// True when every element is finite. Threaded; f32, f64, bf16; integers are always finite.
bool all_finite(const Array& x);

}  // namespace tandem::kernels
