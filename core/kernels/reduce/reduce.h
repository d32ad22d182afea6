// Reductions over dims, of any dtype. Sums accumulate in parts, deterministically for a number of threads.
// Dims are `all` unless a list says which; an empty list reduces nothing. Not here: softmax (softmax.h). Read next:
// reduce.cpp.
#pragma once

#include <utility>

#include <tandem/core/array.h>
#include <tandem/core/dims.h>

namespace tandem::kernels {

/// y = sum of x over dims; keep: reduced dims stay with size 1. Sums of whole numbers and bool are i64 and wrap. A dim
/// given twice is an Error.
Array sum(const Array& x, const Dims& dims = all, bool keep = false);
Array mean(const Array& x, const Dims& dims = all, bool keep = false);
Array max(const Array& x, const Dims& dims = all, bool keep = false);
Array min(const Array& x, const Dims& dims = all, bool keep = false);
/// y = sum(x, {0}) where it lies: x [m, n], y [n] without gaps, both f32. Throws Error otherwise.
void sum_rows_into(const Array& x, Array& y);
/// The transpose of broadcasting: sums x down to `shape`, which broadcasts to x's. x itself when the shapes are equal.
Array sum_to(const Array& x, const Shape& shape);
/// i64 index of the largest (smallest) element along dim, the first of equals, NaN before all; dim disappears.
Array argmax(const Array& x, int dim);
Array argmin(const Array& x, int dim);
/// The k largest along dim in falling order: values and i64 indices, dim has size k.
std::pair<Array, Array> topk(const Array& x, std::int64_t k, int dim);
/// The sum of squares of all elements, in double.
double sum_of_squares(const Array& x);
/// The mean of (a - t)^2 over all elements, differences rounded, squares summed in double: a scalar. One shape.
Array mean_squared_error(const Array& a, const Array& t);
/// (a - t) (c dy) with c = 2 / n, dy a scalar: the gradient of the mean by a.
Array mean_squared_error_grad(const Array& dy, const Array& a, const Array& t);

}  // namespace tandem::kernels
