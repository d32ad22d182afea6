// Views: reshape, transpose, permute, slice, select, expand. They share the Storage. See array.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/array.h>
#include <tandem/core/error.h>

namespace tandem {

Array Array::reshape(const Shape& asked) const {
  require_defined("reshape", "x", *this);
  if (asked == shape_) return *this;
  Shape shape = asked;
  int free_dim = -1;
  for (int d = 0; d < shape.rank() && free_dim < 0; ++d) {
    if (shape[d] == -1) free_dim = d;
  }
  if (free_dim >= 0) {
    shape[free_dim] = 1;
    const std::int64_t known = shape.count();
    shape[free_dim] = known > 0 && size() % known == 0 ? size() / known : -1;
  }
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; }) || shape.count() != size()) {
    fail("reshape", "number of elements differs", fmt::format("{} to {}", shape_.to_string(), asked.to_string()));
  }
  // Groups of old dims that run on are cut into new dims; a new dim that spans two groups needs a copy.
  Strides strides = dense_strides(shape, Layout::row_major);
  int old_dim = rank() - 1, new_dim = shape.rank() - 1;
  bool is_view = size() > 0;
  while (is_view && old_dim >= 0) {
    if (shape_[old_dim] == 1) {
      --old_dim;
      continue;
    }
    std::int64_t group = shape_[old_dim], step = strides_[old_dim];
    while (old_dim > 0 && (shape_[old_dim - 1] == 1 || strides_[old_dim - 1] == step * group)) {
      if (shape_[old_dim - 1] != 1) group *= shape_[old_dim - 1];
      --old_dim;
    }
    --old_dim;
    std::int64_t covered = 1;
    while (new_dim >= 0 && covered * shape[new_dim] <= group) {
      strides[new_dim] = step * covered;
      covered *= shape[new_dim];
      --new_dim;
      if (covered == group && (new_dim < 0 || shape[new_dim] != 1)) break;
    }
    is_view = covered == group;
  }
  if (!is_view && size() > 0)
    return over(to_layout(Layout::row_major).storage(), shape, dense_strides(shape, Layout::row_major), dtype_);
  return over(storage_, shape, strides, dtype_, offset_);
}

Array Array::transpose(int dim_a, int dim_b) const {
  Array y = *this;
  const int a = normalize_dim("transpose", dim_a, rank()), b = normalize_dim("transpose", dim_b, rank());
  std::swap(y.shape_[a], y.shape_[b]);
  std::swap(y.strides_[a], y.strides_[b]);
  return y;
}

Array Array::permute(const std::vector<int>& dims) const {
  Array y = *this;
  std::vector<bool> seen(static_cast<std::size_t>(rank()));
  bool fits = static_cast<int>(dims.size()) == rank();
  for (std::size_t i = 0; fits && i < dims.size(); ++i) {
    const int d = normalize_dim("permute", dims[i], rank());
    fits = !seen[static_cast<std::size_t>(d)];
    seen[static_cast<std::size_t>(d)] = true;
    y.shape_[static_cast<int>(i)] = shape_[d];
    y.strides_[static_cast<int>(i)] = strides_[d];
  }
  if (!fits) {
    fail("permute", "not a permutation of the dims",
         fmt::format("[{}] of {}", fmt::join(dims, ", "), shape_.to_string()));
  }
  return y;
}

Array Array::slice(int dim, std::int64_t from, std::int64_t to, std::int64_t step) const {
  const int d = normalize_dim("slice", dim, rank());
  const auto [begin, end] = normalize_range("slice", shape_, d, from, to, step);
  Array y = *this;
  y.offset_ += begin * strides_[d];
  y.shape_[d] = end == begin ? 0 : (end - begin - 1) / step + 1;
  if (y.shape_[d] > 1) y.strides_[d] = strides_[d] * step;  // where there is no second element, step may be any number
  return y;
}

Array Array::select(int dim, std::int64_t index) const {
  const int d = normalize_dim("select", dim, rank());
  const std::int64_t at = normalize_index("select", shape_, d, index);
  Array y = slice(d, at, at + 1);
  y.shape_.erase(d);
  y.strides_.erase(d);
  return y;
}

Array Array::expand(const Shape& asked) const {
  require_defined("expand", "x", *this);
  Shape shape = asked;
  Strides strides = Shape::filled(shape.rank(), 0);
  bool fits = shape.rank() >= rank();
  for (int d = 1; fits && d <= rank(); ++d) {
    if (shape[-d] == -1) shape[-d] = shape_[-d];
    fits = shape_[-d] == shape[-d] || shape_[-d] == 1;
    if (shape_[-d] == shape[-d]) strides[-d] = strides_[-d];
  }
  fits = fits && std::none_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; });
  if (!fits) fail("expand", "shapes do not fit", fmt::format("{} to {}", shape_.to_string(), asked.to_string()));
  shape.count();  // throws where it overflows
  return over(storage_, shape, strides, dtype_, offset_);
}

Array Array::unsqueeze(int dim) const {
  require_defined("unsqueeze", "x", *this);
  Array y = *this;
  const int d = normalize_dim("unsqueeze", dim, rank() + 1);
  y.strides_.insert(d, d < rank() ? strides_[d] * shape_[d] : 1);
  y.shape_.insert(d, 1);
  return y;
}

Array Array::squeeze(int dim) const {
  Array y = *this;
  const int d = normalize_dim("squeeze", dim, rank());
  if (shape_[d] != 1) fail("squeeze", "size is not 1", fmt::format("dim {} of {}", dim, shape_.to_string()));
  y.shape_.erase(d);
  y.strides_.erase(d);
  return y;
}

}  // namespace tandem
