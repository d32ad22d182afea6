// pad, concatenate and slice_grad by views and Array::copy_from; gather, take_rows and one_hot by checked indices.
#include <tandem/core/kernels/move/index.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/kernels/reference/index.h>
#include <tandem/core/layout.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

std::string list(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t v : values) text += (text.empty() ? "" : ", ") + std::to_string(v);
  return "[" + text + "]";
}

// The index in row-major order, every value in [0, size).
Array checked_index(const char* where, const Array& index, std::int64_t size) {
  require_defined(where, "index", index);
  require_dtype(where, "index", index, DType::i64);
  const Array plain = index.contiguous();
  const std::int64_t* values = plain.data<std::int64_t>();
  for (std::int64_t i = 0; i < plain.size(); ++i) {
    if (values[i] >= 0 && values[i] < size) continue;
    fail(where, "index out of range",
         fmt::format("index{} is {}, valid are 0..{}", index_at(index.shape(), i).to_string(), values[i], size - 1));
  }
  return plain;
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

// take_rows: the shape of index followed by the shape of a row of the table.
Shape rows_shape(const Shape& index, const Shape& table) {
  Shape shape = index;
  for (int d = 1; d < table.rank(); ++d) shape.push_back(table[d]);
  return shape;
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
  if (!(shape == x.shape())) y.fill(value);
  if (x.size() == 0) return y;
  Array inside = y;
  for (int d = 0; d < x.rank(); ++d) {
    const std::int64_t begin = before[static_cast<std::size_t>(d)];
    inside = inside.slice(d, begin, begin + x.shape(d));
  }
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

Array take_rows(const Array& x, const Array& index) {
  const profile::KernelScope profiled("take_rows", x.dtype(), [&] { return profile::moves(index); });
  require_defined("take_rows", "x", x);
  if (x.rank() < 1) fail("take_rows", "x needs a dim of rows", "x " + to_string(x.shape()));
  const Array plain = checked_index("take_rows", index, x.shape(0));
  const Array table = x.contiguous();
  Array y = Array::empty(rows_shape(index.shape(), x.shape()), x.dtype());
  if (y.size() == 0) return y;
  const auto row_bytes = static_cast<std::size_t>(table.size() / table.shape(0)) * size_of(x.dtype());
  const std::int64_t* rows = plain.data<std::int64_t>();
  const std::int64_t grain = std::max<std::int64_t>(1, 65536 / static_cast<std::int64_t>(row_bytes));
  parallel_for(plain.size(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      std::memcpy(y.bytes() + static_cast<std::size_t>(j) * row_bytes,
                  table.bytes() + static_cast<std::size_t>(rows[j]) * row_bytes, row_bytes);
    }
  });
  return y;
}

namespace {

// out[rows[j]] += in[j] for the columns [begin, end); `order` lists the j by row and, within one, in their order. Up to
// 32 terms are summed in float, beyond that on in double, so that a frequent row does not lose the last ones.
void add_rows(float* out, const float* in, const std::int64_t* rows, const std::vector<std::int64_t>& order,
              std::int64_t n, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kColumns = 256;
  constexpr std::size_t kTermsInFloat = 32;
  double totals[kColumns];
  for (; begin < end; begin += kColumns) {
    const std::int64_t width = std::min(kColumns, end - begin);
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
      const std::int64_t row = rows[order[first]];
      while (last < order.size() && rows[order[last]] == row) ++last;
      float* to = out + row * n + begin;
      std::fill_n(totals, width, 0.0);
      for (std::size_t j = first; j < last; ++j) {
        if (j > first && (j - first) % kTermsInFloat == 0) {
          for (std::int64_t c = 0; c < width; ++c) totals[c] += static_cast<double>(to[c]), to[c] = 0;
        }
        const float* from = in + order[j] * n + begin;
        for (std::int64_t c = 0; c < width; ++c) to[c] += from[c];
      }
      if (last - first <= kTermsInFloat) continue;
      for (std::int64_t c = 0; c < width; ++c) to[c] = static_cast<float>(totals[c] + static_cast<double>(to[c]));
    }
  }
}

}  // namespace

// Threads share the columns, not the rows: each sum keeps the order of the index for any number of threads.
Array take_rows_grad(const Array& dy, const Array& index, const Shape& shape) {
  const profile::KernelScope profiled("take_rows_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, profile::bytes_of(shape, dy.dtype())); });
  require_defined("take_rows_grad", "dy", dy);
  if (shape.rank() < 1) fail("take_rows_grad", "the table needs a dim of rows", "shape " + to_string(shape));
  const Array plain = checked_index("take_rows_grad", index, shape[0]);
  if (!(dy.shape() == rows_shape(index.shape(), shape))) {
    fail("take_rows_grad", "the shape of dy does not fit",
         fmt::format("dy {}, index {}, table {}", to_string(dy.shape()), to_string(index.shape()), to_string(shape)));
  }
  if (total_dtype(dy.dtype()) != dy.dtype()) return take_rows_grad(dy.to(DType::f32), index, shape).to(dy.dtype());
  Array y = Array::zeros(shape, dy.dtype());
  if (dy.size() == 0) return y;
  const Array rows_of_dy = dy.contiguous();
  const std::int64_t count = plain.size(), n = y.size() / shape[0];
  const std::int64_t* rows = plain.data<std::int64_t>();
  visit_dtype(dy.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    T* out = y.data<T>();
    const T* in = rows_of_dy.data<T>();
    if constexpr (!std::is_same_v<T, float>) {
      reference::take_rows_add(out, in, rows, count, n);
    } else {
      std::vector<std::int64_t> order(static_cast<std::size_t>(count));
      std::iota(order.begin(), order.end(), std::int64_t{0});
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return rows[a] < rows[b]; });
      parallel_for(n, std::max<std::int64_t>(16, 32768 / count),
                   [&](std::int64_t begin, std::int64_t end) { add_rows(out, in, rows, order, n, begin, end); });
    }
  });
  return y;
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
