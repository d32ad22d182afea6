// What an Array can do, on Tensors: other dtypes, comparisons, single elements and dims. Beside ops.h, and like it: one
// row an op in tests/autograd/array_op_rows.h, one case in tests/autograd/array_golden_cases.h.
#pragma once

#include <vector>

#include <tandem/autograd/indexing.h>
#include <tandem/autograd/tensor.h>

namespace tandem {

/// x as another dtype (load_store.h says how numbers convert). The gradient comes back in x's dtype; whole numbers and
/// bool have none. x itself when it is of that dtype.
Tensor to(const Tensor& x, DType dtype);

// Comparisons: bool, without gradient, with broadcasting and promotion.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& x, double c);
Tensor not_equal(const Tensor& x, double c);
Tensor greater(const Tensor& x, double c);
Tensor greater_equal(const Tensor& x, double c);
Tensor less(const Tensor& x, double c);
Tensor less_equal(const Tensor& x, double c);

/// -1, 0 or 1; its gradient is 0.
Tensor sign(const Tensor& x);
/// 1 / x.
Tensor reciprocal(const Tensor& x);

/// The smallest along dims (see ops.h); its gradient is shared equally between equals.
Tensor min(const Tensor& x, const Dims& dims = all, bool keep = false);
/// Without gradient: i64.
Tensor argmin(const Tensor& x, int dim);
/// Without gradient: i64 labels [B] to rows [B, classes] with a 1 at the label.
Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::f32);

/// Element `index` of a dim, which disappears; negative: from the back.
Tensor select(const Tensor& x, int dim, std::int64_t index);
/// Without a dim of size 1 (Error when it is not).
Tensor squeeze(const Tensor& x, int dim);
/// With a new dim of size 1 before `dim`; -1 appends it.
Tensor unsqueeze(const Tensor& x, int dim);
/// Row major without gaps: x itself where it is.
Tensor contiguous(const Tensor& x);
/// One index a dim from the left; dims without one stay whole: x[i], x(slice(0, 5), all, -1) are this. A view.
Tensor index(const Tensor& x, const std::vector<Index>& indices);

}  // namespace tandem
