// pad, concatenate and slice_grad by views and Array::copy_from; gather and one_hot by checked indices. take_rows:
// take_rows.cpp.
#include <tandem/core/kernels/move/checked_index.h>
#include <tandem/core/kernels/move/index.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/kernels/reference/index.h>
#include <tandem/core/layout.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::checked_index;

std::string list(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t v : values) text += (text.empty() ? "" : ", ") + std::to_string(v);
  return "[" + text + "]";
}

Layout layout_of(const std::vector<Array>& xs) {
  for (const Array& x : xs) {
    if (!is_ambiguous(x.shape())) return propagate_layout(x.rank(), {&x});
  }
  return propagate_layout(xs[0].rank(), {&xs[0]});
}

// Checks that the sizes of index are at most x's outside of dim, for gather and its transpose.
void require_gather_shapes(const char* where, const Shape& x, int dim, const Shape& index) {
  bool fits = x.rank() == index.rank();
  for (int d = 0; fits && d < x.rank(); ++d) fits = d == dim || index[d] <= x[d];
  if (fits) return;
  fail(where, "the shape of index does not fit",
       fmt::format("x {}, index {}, dim {}", to_string(x), to_string(index), dim));
}

// What elements of T are added up in: float for floats of 16 bits.
template <class T>
using TotalOf = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float, T>;
DType total_dtype(DType dtype) {
  return visit_dtype(dtype, [](auto scalar) { return dtype_of<TotalOf<decltype(scalar)>>; });
}

}  // namespace

Array pad(const Array& x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after,
          double value) {
  const profile::KernelScope profiled("pad", x.dtype(), [&] { return profile::moves(x, x); });
  require_defined("pad", "x", x);
  const auto rank = static_cast<std::size_t>(x.rank());
  const auto is_negative = [](std::int64_t n) { return n < 0; };
  if (before.size() != rank || after.size() != rank || std::any_of(before.begin(), before.end(), is_negative) ||
      std::any_of(after.begin(), after.end(), is_negative)) {
    fail("pad", "before and after need one number >= 0 for each dim",
         fmt::format("x {}, before {}, after {}", to_string(x.shape()), list(before), list(after)));
  }
  Shape shape = x.shape();
  for (int d = 0; d < x.rank(); ++d) {
    const auto i = static_cast<std::size_t>(d);
    shape[d] = saturating_add(shape[d], saturating_add(before[i], after[i]));
  }
  Array y = Array::empty(shape, x.dtype(), propagate_layout(x.rank(), {&x}));
  Array inside = y;  // of the dims before d, all of the others
  for (int d = 0; d < x.rank(); ++d) {
    const std::int64_t begin = before[static_cast<std::size_t>(d)], end = begin + x.shape(d);
    for (Array border : {inside.slice(d, 0, begin), inside.slice(d, end, shape[d])}) {
      if (border.size() > 0) border.fill(value);
    }
    inside = inside.slice(d, begin, end);
  }
  if (x.size() == 0) return y;
  inside.copy_from(x);
  return y;
}

Array concatenate(const std::vector<Array>& xs, int dim) {
  if (xs.empty()) fail("concatenate", "needs at least one array", "none given");
  require_defined("concatenate", "array 0", xs[0]);
  const int d = normalize_dim("concatenate", dim, xs[0].rank());
  Shape shape = xs[0].shape();
  for (std::size_t i = 1; i < xs.size(); ++i) {
    require_defined("concatenate", fmt::format("array {}", i).c_str(), xs[i]);
    if (xs[i].dtype() != xs[0].dtype()) {
      fail("concatenate", "dtypes differ",
           fmt::format("array 0 is {}, array {} is {}", name(xs[0].dtype()), i, name(xs[i].dtype())));
    }
    bool fits = xs[i].rank() == shape.rank();
    for (int k = 0; fits && k < shape.rank(); ++k) fits = k == d || xs[i].shape(k) == shape[k];
    if (!fits) {
      fail("concatenate", fmt::format("shapes differ outside of dim {}", d),
           fmt::format("array 0 {}, array {} {}", to_string(xs[0].shape()), i, to_string(xs[i].shape())));
    }
    shape[d] = saturating_add(shape[d], xs[i].shape(d));
  }
  const profile::KernelScope profiled("concatenate", xs[0].dtype(),
                                      [&] { return profile::moves(2 * profile::bytes_of(shape, xs[0].dtype())); });
  Array y = Array::empty(shape, xs[0].dtype(), layout_of(xs));
  std::int64_t begin = 0;
  for (const Array& x : xs) {
    if (x.size() > 0) y.slice(d, begin, begin + x.shape(d)).copy_from(x);
    begin += x.shape(d);
  }
  return y;
}

Array gather(const Array& x, int dim, const Array& index) {
  const profile::KernelScope profiled(
      "gather", x.dtype(), [&] { return profile::moves(index, profile::bytes_of(index.shape(), x.dtype())); });
  require_defined("gather", "x", x);
  const int d = normalize_dim("gather", dim, x.rank());
  require_defined("gather", "index", index);
  require_gather_shapes("gather", x.shape(), d, index.shape());
  const Array plain = checked_index("gather", index, x.shape(d));
  Array y = Array::empty(index.shape(), x.dtype());
  visit_dtype(x.dtype(), [&](auto scalar) { reference::gather<decltype(scalar)>(y, x, d, plain); });
  return y;
}

Array gather_grad(const Array& dy, int dim, const Array& index, const Shape& shape) {
  const profile::KernelScope profiled("gather_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, index, profile::bytes_of(shape, dy.dtype())); });
  require_defined("gather_grad", "dy", dy);
  const int d = normalize_dim("gather_grad", dim, shape.rank());
  require_defined("gather_grad", "index", index);
  require_gather_shapes("gather_grad", shape, d, index.shape());
  if (!(dy.shape() == index.shape())) {
    fail("gather_grad", "shapes differ",
         fmt::format("dy {}, index {}", to_string(dy.shape()), to_string(index.shape())));
  }
  const Array plain = checked_index("gather_grad", index, shape[d]);
  Array y = Array::zeros(shape, total_dtype(dy.dtype()));
  visit_dtype(dy.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    reference::gather_add<TotalOf<T>, T>(y, dy, d, plain);
  });
  return y.to(dy.dtype());
}

Array slice_grad(const Array& dy, const Shape& shape, int dim, std::int64_t begin, std::int64_t end,
                 std::int64_t step) {
  const profile::KernelScope profiled("slice_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, profile::bytes_of(shape, dy.dtype())); });
  require_defined("slice_grad", "dy", dy);
  const int d = normalize_dim("slice_grad", dim, shape.rank());
  Array y = Array::zeros(shape, dy.dtype(), propagate_layout(shape.rank(), {&dy}));
  Array part = y.slice(d, begin, end, step);
  if (!(part.shape() == dy.shape())) {
    fail("slice_grad", "the shape of dy does not fit",
         fmt::format("dy {}, slice {}", to_string(dy.shape()), to_string(part.shape())));
  }
  if (dy.size() > 0) part.copy_from(dy);
  return y;
}

Array one_hot(const Array& labels, std::int64_t classes, DType dtype) {
  const profile::KernelScope profiled("one_hot", dtype, [&] { return profile::moves(labels); });
  require_defined("one_hot", "labels", labels);
  require_dtype("one_hot", "labels", labels, DType::i64);
  if (labels.rank() != 1) fail("one_hot", "labels must be of rank 1", "labels " + to_string(labels.shape()));
  if (classes < 1) fail("one_hot", "there must be at least one class", fmt::format("classes {}", classes));
  const Array plain = labels.contiguous();
  const std::int64_t* values = plain.data<std::int64_t>();
  Array y = Array::zeros({labels.size(), classes}, dtype);
  visit_dtype(dtype, [&](auto scalar) {
    using T = decltype(scalar);
    T* out = y.data<T>();
    for (std::int64_t row = 0; row < labels.size(); ++row) {
      if (values[row] < 0 || values[row] >= classes) {
        fail("one_hot", "label out of range",
             fmt::format("row {} has {}, classes are 0..{}", row, values[row], classes - 1));
      }
      out[row * classes + values[row]] = static_cast<T>(1.0F);
    }
  });
  return y;
}

}  // namespace tandem::kernels
