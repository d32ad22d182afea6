// Making, viewing and copying Arrays. Printing is in array_print.cpp, the layout rule in layout.cpp. See array.h.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/copy.h>
#include <tandem/core/layout.h>
#include <tandem/core/threads.h>

namespace tandem {

namespace detail {

void check_from_count(std::size_t values, const Shape& shape) {
  if (static_cast<std::int64_t>(values) != shape.count()) {
    fail("array", "number of values does not fit", fmt::format("{} values for shape {}", values, shape.to_string()));
  }
}

}  // namespace detail

namespace {

// True when strides walk memory without gaps in the order of dims given by `order`, slowest first.
template <class Order>
bool runs_on(const Shape& shape, const Strides& strides, const Order& order) {
  std::int64_t expected = 1;
  for (auto d = std::rbegin(order); d != std::rend(order); ++d) {
    if (shape[*d] == 1) continue;
    if (strides[*d] != expected) return false;
    expected *= shape[*d];
  }
  return true;
}

constexpr int kChannelsLastOrder[] = {0, 2, 3, 1};

}  // namespace

Strides dense_strides(const Shape& shape, Layout layout) {
  Strides strides = Shape::filled(shape.rank(), 1);
  std::int64_t step = 1;
  if (layout == Layout::channels_last && shape.rank() == 4) {
    for (auto d = std::rbegin(kChannelsLastOrder); d != std::rend(kChannelsLastOrder); ++d) {
      strides[*d] = step;
      step *= std::max<std::int64_t>(shape[*d], 1);
    }
    return strides;
  }
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[d] = step;
    step *= std::max<std::int64_t>(shape[d], 1);
  }
  return strides;
}

Array Array::empty(const Shape& shape, DType dtype, Layout layout) {
  for (std::int64_t size : shape) {
    if (size < 0) fail("array", "negative size", shape.to_string());
  }
  const std::size_t bytes = static_cast<std::size_t>(shape.count()) * size_of(dtype);
  return over(std::make_shared<Storage>(bytes), shape, dense_strides(shape, layout), dtype);
}

Array Array::empty_like(const Array& like) { return empty_like(like, like.dtype()); }

Array Array::empty_like(const Array& like, DType dtype) {
  Array y = empty(like.shape(), dtype, like.layout());
  // Any other dense order (a transposed matrix, say) is kept as well.
  if (like.is_dense() && !like.is_contiguous() && !like.is_channels_last()) y.strides_ = like.strides_;
  return y;
}

Array Array::zeros(const Shape& shape, DType dtype, Layout layout) {
  Array y = empty(shape, dtype, layout);
  std::memset(y.bytes(), 0, static_cast<std::size_t>(y.size()) * size_of(dtype));
  return y;
}

Array Array::full(const Shape& shape, double value, DType dtype) {
  Array y = empty(shape, dtype);
  y.fill(value);
  return y;
}

Array Array::arange(std::int64_t n, DType dtype) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(std::max<std::int64_t>(n, 0)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i);
  return from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}

Array Array::from(std::initializer_list<double> values, const Shape& shape, DType dtype) {
  return from(std::vector<double>(values), shape).to(dtype);
}

Array Array::scalar(double value, DType dtype) { return full({}, value, dtype); }

Array Array::over(std::shared_ptr<Storage> storage, const Shape& shape, const Strides& strides, DType dtype,
                  std::int64_t offset) {
  Array y;
  y.storage_ = std::move(storage);
  y.shape_ = shape;
  y.strides_ = strides;
  y.dtype_ = dtype;
  y.offset_ = offset;
  return y;
}

bool Array::is_contiguous() const {
  std::int64_t expected = 1;
  for (int d = rank() - 1; d >= 0; --d) {
    if (shape_[d] == 1) continue;
    if (strides_[d] != expected) return false;
    expected *= shape_[d];
  }
  return true;
}

bool Array::is_channels_last() const { return rank() == 4 && runs_on(shape_, strides_, kChannelsLastOrder); }

bool Array::is_dense() const {
  if (is_contiguous()) return true;
  std::vector<int> order;
  for (int d = 0; d < rank(); ++d) order.push_back(d);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return strides_[a] > strides_[b]; });
  return runs_on(shape_, strides_, order);
}

Array Array::reshape(const Shape& asked) const {
  Shape shape = asked;
  int free_dim = -1;
  std::int64_t known = 1;
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d] == -1 && free_dim < 0) {
      free_dim = d;
    } else {
      known *= shape[d];
    }
  }
  if (free_dim >= 0 && known > 0 && size() % known == 0) shape[free_dim] = size() / known;
  if (shape.count() != size() || std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; })) {
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

Array Array::slice(int dim, std::int64_t begin, std::int64_t end, std::int64_t step) const {
  const int d = normalize_dim("slice", dim, rank());
  if (begin < 0 || begin > end || end > shape_[d] || step < 1) {
    fail("slice", "range does not fit",
         fmt::format("[{}, {}) step {} in dim {} of {}", begin, end, step, dim, shape_.to_string()));
  }
  Array y = *this;
  y.offset_ += begin * strides_[d];
  y.shape_[d] = (end - begin + step - 1) / step;
  y.strides_[d] = strides_[d] * step;
  return y;
}

Array Array::select(int dim, std::int64_t index) const {
  const int d = normalize_dim("select", dim, rank());
  if (index < 0 || index >= shape_[d]) {
    fail("select", "index out of range", fmt::format("{} in dim {} of {}", index, dim, shape_.to_string()));
  }
  Array y = slice(d, index, index + 1);
  y.shape_.erase(d);
  y.strides_.erase(d);
  return y;
}

Array Array::expand(const Shape& shape) const {
  Strides strides = Shape::filled(shape.rank(), 0);
  bool fits = shape.rank() >= rank();
  for (int d = 1; fits && d <= rank(); ++d) {
    fits = shape_[-d] == shape[-d] || shape_[-d] == 1;
    if (shape_[-d] == shape[-d]) strides[-d] = strides_[-d];
  }
  if (!fits) fail("expand", "shapes do not fit", fmt::format("{} to {}", shape_.to_string(), shape.to_string()));
  return over(storage_, shape, strides, dtype_, offset_);
}

Array Array::unsqueeze(int dim) const {
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

Array Array::contiguous() const { return to_layout(Layout::row_major); }

Array Array::to_layout(Layout layout) const {
  if (layout == Layout::channels_last && rank() == 4 ? is_channels_last() : is_contiguous()) {
    // The strides of sizes of 1 carry no address but decide how the layout reads on: make them say it.
    return over(storage_, shape_, dense_strides(shape_, layout), dtype_, offset_);
  }
  Array y = empty(shape_, dtype_, layout);
  kernels::copy(*this, y);
  return y;
}

Array Array::to(DType dtype) const {
  require_defined("to", "x", *this);
  if (dtype == dtype_) return *this;
  Array y = empty_like(*this, dtype);
  kernels::copy(*this, y);
  return y;
}

Array Array::clone() const {
  require_defined("clone", "x", *this);
  Array y = empty_like(*this);
  kernels::copy(*this, y);
  return y;
}

void Array::copy_from(const Array& source) {
  kernels::copy(source, *this);
  mark_changed();
}

void Array::fill(double value) {
  const Array one = over(std::make_shared<Storage>(sizeof(double)), {}, {}, DType::f64);
  *reinterpret_cast<double*>(one.bytes()) = value;
  kernels::copy(one.to(dtype_).expand(shape_), *this);
  mark_changed();
}

double Array::item() const {
  if (size() != 1) fail("item", "not a single element", shape_.to_string());
  return visit_dtype(dtype_, [&](auto t) { return static_cast<double>(*data<decltype(t)>()); });
}

double Array::at(std::initializer_list<std::int64_t> index) const {
  Array y = *this;
  for (std::int64_t i : index) y = y.select(0, i);
  return y.item();
}

void Array::set(std::initializer_list<std::int64_t> index, double value) {
  Array y = *this;
  for (std::int64_t i : index) y = y.select(0, i);
  y.fill(value);
}

void Array::fail_dtype(DType asked) const {
  if (!storage_) fail("array", "not defined");
  fail("array", "dtype differs", fmt::format("data is {}, {} asked for", name(dtype_), name(asked)));
}

bool identical(const Array& a, const Array& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return false;
  const Array x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.bytes(), y.bytes(), static_cast<std::size_t>(x.size()) * size_of(x.dtype())) == 0;
}

void require_defined(const char* where, const char* what, const Array& x) {
  if (!x.defined()) fail(where, fmt::format("{} is not defined", what));
}

void require_dtype(const char* where, const char* what, const Array& x, DType dtype) {
  require_defined(where, what, x);
  if (x.dtype() != dtype) fail(where, fmt::format("{} is {}, must be {}", what, name(x.dtype()), name(dtype)));
}

}  // namespace tandem
