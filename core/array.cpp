// Making and copying Arrays. Views are in array_view.cpp, printing in array_print.cpp, the layout rule in layout.cpp.
#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include <tandem/core/array.h>
#include <tandem/core/capture.h>
#include <tandem/core/convert.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/move/copy.h>
#include <tandem/core/layout.h>
#include <tandem/core/overlap.h>
#include <tandem/core/pooled.h>
#include <tandem/core/threads.h>

namespace tandem {

namespace detail {

void check_from_count(std::size_t values, const Shape& shape) {
  if (static_cast<std::int64_t>(values) != shape.count()) {
    fail("array", "number of values does not fit", fmt::format("{} values for shape {}", values, shape.to_string()));
  }
}

void give_to_host() { capture::refuse("the host", "reads numbers"); }

}  // namespace detail

namespace {

// True when strides walk memory without gaps in the order of dims given by `order`, slowest first.
template <class Order>
bool runs_on(const Shape& shape, const Strides& strides, const Order& order) {
  std::int64_t expected = 1;  // sizes of 0 count as 1, as in dense_strides
  for (auto d = std::rbegin(order); d != std::rend(order); ++d) {
    if (shape[*d] == 1) continue;
    if (strides[*d] != expected) return false;
    expected *= std::max<std::int64_t>(shape[*d], 1);
  }
  return true;
}

constexpr int kChannelsLastOrder[] = {0, 2, 3, 1};

// Every element of x is in its Storage.
[[maybe_unused]] bool lies_within(const Array& x) {
  if (!x.defined() || x.size() == 0) return true;
  std::int64_t lowest = x.offset(), highest = x.offset();
  for (int d = 0; d < x.rank(); ++d) {
    const std::int64_t reach = (x.shape(d) - 1) * x.stride(d);
    (reach < 0 ? lowest : highest) += reach;
  }
  return lowest >= 0 && highest < static_cast<std::int64_t>(x.storage()->bytes() / size_of(x.dtype()));
}

}  // namespace

Strides dense_strides(const Shape& shape, Layout layout) {
  Strides strides = shape;
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
  const std::int64_t count = shape.count();
  const auto width = static_cast<std::int64_t>(size_of(dtype));
  if (count > std::numeric_limits<std::int64_t>::max() / width) {
    fail("array", "too large", fmt::format("{} of {}", shape.to_string(), name(dtype)));
  }
  auto storage = std::allocate_shared<Storage>(Pooled<Storage>{}, static_cast<std::size_t>(count * width));
  const Strides strides = dense_strides(shape, layout);
  Array y;
  y.storage_ = std::move(storage);
  y.shape_ = shape;
  y.strides_ = strides;
  y.dtype_ = dtype;
  return y;
}

Array Array::empty_like(const Array& like) { return empty_like(like, like.dtype()); }

Array Array::empty_like(const Array& like, DType dtype) {
  require_defined("empty_like", "like", like);
  Array y = empty(like.shape(), dtype, like.layout());
  // Any other dense order (a transposed matrix, say) is kept as well.
  if (like.is_dense() && !like.is_contiguous() && !like.is_channels_last()) y.strides_ = like.strides_;
  return y;
}

Array Array::zeros(const Shape& shape, DType dtype, Layout layout) {
  Array y = empty(shape, dtype, layout);
  capture::run("fill", {}, {&y}, [p = y.bytes(), bytes = static_cast<std::size_t>(y.size()) * size_of(dtype)] {
    std::memset(p, 0, bytes);
  });
  return y;
}

Array Array::full(const Shape& shape, double value, DType dtype) {
  Array y = empty(shape, dtype);
  y.fill(value);
  return y;
}

Array Array::arange(std::int64_t n, DType dtype) {
  Array y = empty({n}, DType::i64);
  std::iota(y.data<std::int64_t>(), y.data<std::int64_t>() + n, std::int64_t{0});
  return y.to(dtype);
}

Array Array::from(std::initializer_list<double> values, const Shape& shape, DType dtype) {
  return from(std::vector<double>(values), shape).to(dtype);
}

Array Array::scalar(double value, DType dtype) {
  Array y = empty({}, dtype);
  visit_dtype(dtype, [&](auto element) {
    using T = decltype(element);
    capture::run("fill", {}, {&y}, [p = y.data<T>(), converted = convert_number<T>(value)] { *p = converted; });
  });
  return y;
}

Array Array::over(std::shared_ptr<Storage> storage, const Shape& shape, const Strides& strides, DType dtype,
                  std::int64_t offset) {
  Array y;
  y.storage_ = std::move(storage);
  y.shape_ = shape;
  y.strides_ = strides;
  y.dtype_ = dtype;
  y.offset_ = offset;
  assert(lies_within(y));
  return y;
}

bool Array::is_contiguous() const {
  const std::int64_t *sizes = shape_.begin(), *steps = strides_.begin();
  std::int64_t expected = 1;
  bool runs = true;
  for (int d = rank() - 1; d >= 0; --d) {
    if (sizes[d] == 0) return true;
    if (sizes[d] == 1) continue;
    runs = runs && steps[d] == expected;
    expected *= sizes[d];
  }
  return runs;
}

bool Array::is_channels_last() const { return rank() == 4 && runs_on(shape_, strides_, kChannelsLastOrder); }

bool Array::is_dense() const {
  if (is_contiguous()) return true;
  std::array<int, kMaxRank> all{};
  const std::span<int> order(all.data(), static_cast<std::size_t>(rank()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return strides_[a] > strides_[b]; });
  return runs_on(shape_, strides_, order);
}

Array Array::contiguous() const { return to_layout(Layout::row_major); }

Array Array::to_layout(Layout layout) const {
  require_defined("to_layout", "x", *this);
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
  require_writable("copy_from", "the Array", *this);
  require_defined("copy_from", "source", source);
  // As most copies are, and short: whatever overlaps, memmove reads before it writes.
  constexpr std::int64_t kShort = 4096;
  if (dtype_ == source.dtype_ && size() <= kShort && shape_ == source.shape_ && strides_ == source.strides_ &&
      is_contiguous()) {
    capture::run("copy", {&source}, {this},
                 [to = bytes(), from = source.bytes(), n = static_cast<std::size_t>(size()) * size_of(dtype_)] {
                   std::memmove(to, from, n);
                 });
  } else if (overlaps(source, *this)) {
    kernels::copy(apart_from(source, *this), *this);
  } else {
    kernels::copy(source, *this);
  }
}

void Array::fill(double value) {
  require_writable("fill", "the Array", *this);
  visit_dtype(dtype_, [&](auto scalar) {
    using T = decltype(scalar);
    const T converted = convert_number<T>(value);
    if (is_dense()) {
      capture::run("fill", {}, {this}, [p = data<T>(), n = size(), converted] {
        constexpr std::int64_t kGrain = 65536;
        parallel_for(n, kGrain,
                     [&](std::int64_t begin, std::int64_t end) { std::fill(p + begin, p + end, converted); });
      });
    } else {
      kernels::copy(Array::scalar(value, dtype_).expand(shape_), *this);
    }
  });
}

void Array::mark_changed() {
  if (!storage_) fail_undefined();
  storage_->mark_changed();
  capture::refuse("memory", "is changed by what is not captured");
}

double Array::item() const {
  if (size() != 1) fail("item", "not a single element", shape_.to_string());
  detail::give_to_host();
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

void Array::fail_undefined() { fail("array", "not defined"); }

void Array::fail_dtype(DType asked) const {
  if (!storage_) fail_undefined();
  fail("array", "dtype differs", fmt::format("data is {}, {} asked for", name(dtype_), name(asked)));
}

bool identical(const Array& a, const Array& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined()) return true;
  detail::give_to_host();
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

void require_floating(const char* where, const char* what, const Array& x) {
  require_defined(where, what, x);
  if (!is_floating(x.dtype())) {
    fail(where, fmt::format("{} is {}, must be floating", what, name(x.dtype())),
         fmt::format("{} {}", what, to_string(x.shape())), "convert it with to(DType::f32)");
  }
}

}  // namespace tandem
