// Kernels that move elements: pad, concatenate, gather and their transposes.
// Not here: views (array.h). Any dtype unless said otherwise.
#pragma once

#include <vector>

#include <tandem/core/array.h>

namespace tandem::kernels {

/// `before[d]` and `after[d]` elements of `value` round x in dim d.
Array pad(const Array& x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after,
          double value = 0);
/// Joins along an existing dim. All other sizes and the dtype are equal (Error otherwise).
Array concatenate(const std::vector<Array>& xs, int dim);
/// y[i, j, ...] = x[i, index[i, j, ...], ...] at `dim`; index is i64, of x's rank, its other sizes at most x's.
/// Throws Error naming position and value when an index is out of range.
Array gather(const Array& x, int dim, const Array& index);
/// The transpose of gather: zeros of `shape`, then y[i, index[i, j], ...] += dy[i, j, ...]. Deterministic.
Array gather_grad(const Array& dy, int dim, const Array& index, const Shape& shape);
/// y[j, :] = x[index[j], :]: rows of a table by an i64 index of any shape; y has shape index.shape + x.shape[1:].
/// Throws Error naming position and value when an index is out of range; `where` is who it is thrown for.
Array take_rows(const Array& x, const Array& index, const char* where = "take_rows");
/// The transpose of take_rows: zeros of `shape`, then y[index[j], :] += dy[j, :].
Array take_rows_grad(const Array& dy, const Array& index, const Shape& shape, const char* where = "take_rows_grad");
/// Zeros of `shape`, then y.slice(dim, begin, end, step) = dy: the transpose of slice.
Array slice_grad(const Array& dy, const Shape& shape, int dim, std::int64_t begin, std::int64_t end, std::int64_t step);
/// i64 labels [B] to f32 (or dtype) one-hot rows [B, classes]. Throws Error when a label is out of range.
Array one_hot(const Array& labels, std::int64_t classes, DType dtype = DType::f32);

}  // namespace tandem::kernels
