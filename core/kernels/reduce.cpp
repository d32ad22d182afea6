// sum, mean, max, min, sum_to and sum_of_squares. f32 goes through plans (reduce_plan.h) down to two tiles:
//   strips    the innermost dim is reduced: 32 partial results side by side over a row
//   columns   the innermost dim is kept: rows added to a block of columns (bias gradients in channels-last)
// Partial sums are f32 over at most 32 elements a lane or 32 rows, and double above, so the error does not grow with
// the size. Parts of threads are combined in their order. argmax and topk: search.cpp.
#include <tandem/core/kernels/reduce.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/reduce_plan.h>
#include <tandem/core/kernels/reduce_tiles.h>
#include <tandem/core/kernels/reference/reduce.h>
#include <tandem/core/layout.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::Max, detail::Min, detail::Sum;
using detail::ReduceDim;
using detail::ReducePlan;

template <class Op>
void walk(const ReducePlan& plan, std::size_t dims_left, const float* x, typename Op::Total* y) {
  if (dims_left > 2) {
    const ReduceDim& dim = plan.dims[dims_left - 1];
    for (std::int64_t i = 0; i < dim.size; ++i)
      walk<Op>(plan, dims_left - 1, x + i * dim.x_stride, y + i * dim.y_stride);
    return;
  }
  const ReduceDim &inner = plan.dims[0], &outer = plan.dims[1];
  if (inner.is_reduced) return detail::strips<Op>(x, inner, outer, y);
  if (outer.is_reduced) return detail::columns<Op>(x, inner, outer, y);
  for (std::int64_t i = 0; i < outer.size; ++i) {
    detail::columns<Op>(x + i * outer.x_stride, inner, ReduceDim{}, y + i * outer.y_stride);
  }
}

// Totals of all parts: on the stack while they are few.
template <class Total>
class Totals {
 public:
  explicit Totals(std::int64_t count, Total value) {
    if (count > kInline) array_ = Array::empty({count}, dtype_of<Total>);
    std::fill_n(data(), count, value);
  }
  Total* data() { return array_.defined() ? array_.data<Total>() : inline_; }

 private:
  static constexpr std::int64_t kInline = 256;
  Total inline_[kInline];
  Array array_;
};

// y = scale * (the reduction of x); y is dense, of x's rank.
template <class Op>
void reduce_f32(const Array& x, Array& y, double scale) {
  using Total = typename Op::Total;
  const ReducePlan plan = detail::plan_reduce(x, y);
  const ReduceDim split = plan.dims[plan.split];
  const std::int64_t outputs = y.size();
  const Parts ranges = parallel_parts(split.size, plan.grain);
  const int parts = split.is_reduced ? ranges.number : 1;
  Totals<Total> totals(outputs * parts, static_cast<Total>(Op::kIdentity));
  Total* all = totals.data();
  const float* in = x.data<float>();
  if (x.size() > 0) {
    parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
      ReducePlan own = plan;
      own.dims[plan.split].size = end - begin;
      walk<Op>(own, own.rank, in + begin * split.x_stride,
               all + (parts > 1 ? part * outputs : 0) + begin * split.y_stride);
    });
  }
  float* out = y.data<float>();
  parallel_for(outputs, 32768, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Total total = all[i];
      for (int part = 1; part < parts; ++part) total = Op::combine(total, all[part * outputs + i]);
      out[i] = static_cast<float>(total * static_cast<Total>(scale));
    }
  });
}

std::string dims_text(const std::vector<int>& dims) {
  std::string text;
  for (const int d : dims) text += (text.empty() ? "" : ", ") + std::to_string(d);
  return dims.empty() ? "all" : text;
}

// Sizes of the result with the reduced dims kept as 1.
Shape kept_shape(const char* where, const Array& x, const std::vector<int>& dims) {
  if (dims.empty()) return Shape::filled(x.rank(), 1);
  Shape shape = x.shape();
  std::uint32_t seen = 0;
  for (const int dim : dims) {
    const int d = normalize_dim(where, dim, x.rank());
    if ((seen >> d) & 1U) fail(where, fmt::format("dim {} is given twice", dim), "dims " + dims_text(dims));
    seen |= 1U << d;
    shape[d] = 1;
  }
  return shape;
}

Shape without_dims(const Shape& kept, const std::vector<int>& dims) {
  Shape shape;
  if (dims.empty()) return shape;
  std::uint32_t reduced = 0;
  for (const int dim : dims) reduced |= 1U << (dim < 0 ? dim + kept.rank() : dim);
  for (int d = 0; d < kept.rank(); ++d) {
    if (((reduced >> d) & 1U) == 0) shape.push_back(kept[d]);
  }
  return shape;
}

template <class T>
constexpr T lowest_of(bool is_max) {
  using Limits = std::numeric_limits<T>;
  if constexpr (Limits::has_infinity)
    return is_max ? -Limits::infinity() : Limits::infinity();
  else
    return is_max ? Limits::lowest() : Limits::max();
}

// The reduction of x to `kept` (x's rank), times scale.
template <class Op>
Array reduce_to(const Array& x, const Shape& kept, Layout layout, double scale = 1) {
  if (x.dtype() == DType::bf16) return reduce_to<Op>(x.to(DType::f32), kept, layout, scale).to(DType::bf16);
  constexpr bool is_sum = std::is_same_v<Op, Sum>;
  // Sums of u8 are i64: they would not fit.
  const DType dtype = is_sum && x.dtype() == DType::u8 ? DType::i64 : x.dtype();
  Array y = Array::empty(kept, dtype, layout);
  if (dtype == DType::f32) {
    reduce_f32<Op>(x, y, scale);
    return y;
  }
  const auto run = [&](auto total, auto element) {
    using Y = decltype(total);
    using X = decltype(element);
    Y* out = y.data<Y>();
    std::fill_n(out, y.size(), is_sum ? Y(0) : lowest_of<Y>(std::is_same_v<Op, Max>));
    reference::reduce<Y, X>(y, x, [](Y a, Y b) { return Op::combine(a, b); });
    for (std::int64_t i = 0; scale != 1 && i < y.size(); ++i)
      out[i] = static_cast<Y>(static_cast<double>(out[i]) * scale);
  };
  if (dtype == DType::f64)
    run(double{}, double{});
  else if (x.dtype() == DType::i64)
    run(std::int64_t{}, std::int64_t{});
  else if (is_sum)
    run(std::int64_t{}, std::uint8_t{});
  else
    run(std::uint8_t{}, std::uint8_t{});
  return y;
}

template <class Op>
Array reduce(const char* where, const Array& x, const std::vector<int>& dims, bool keep, bool is_mean = false) {
  require_defined(where, "x", x);
  const Shape kept = kept_shape(where, x, dims);
  if (!std::is_same_v<Op, Sum> && x.size() == 0 && kept.count() > 0) {
    fail(where, "there is no element to choose from",
         fmt::format("x {}, dims {}", to_string(x.shape()), dims_text(dims)));
  }
  const double scale = is_mean ? static_cast<double>(kept.count()) / static_cast<double>(x.size()) : 1;
  const Layout layout = keep ? propagate_layout(x.rank(), {&x}) : Layout::row_major;
  const Array y = reduce_to<Op>(x, kept, layout, scale);
  return keep ? y : y.reshape(without_dims(kept, dims));
}

}  // namespace

Array sum(const Array& x, const std::vector<int>& dims, bool keep) { return reduce<Sum>("sum", x, dims, keep); }

Array mean(const Array& x, const std::vector<int>& dims, bool keep) {
  require_defined("mean", "x", x);
  if (!is_floating(x.dtype())) {
    fail("mean", "needs floating numbers", fmt::format("x is {}", name(x.dtype())), "convert with to()");
  }
  return reduce<Sum>("mean", x, dims, keep, true);
}

Array max(const Array& x, const std::vector<int>& dims, bool keep) { return reduce<Max>("max", x, dims, keep); }
Array min(const Array& x, const std::vector<int>& dims, bool keep) { return reduce<Min>("min", x, dims, keep); }

Array sum_to(const Array& x, const Shape& shape) {
  require_defined("sum_to", "x", x);
  if (x.shape() == shape) return x;
  const int leading = x.rank() - shape.rank();
  bool fits = leading >= 0;
  Shape kept = Shape::filled(x.rank(), 1);
  for (int d = 0; fits && d < shape.rank(); ++d) {
    kept[leading + d] = shape[d];
    fits = shape[d] == 1 || shape[d] == x.shape(leading + d);
  }
  if (!fits) {
    fail("sum_to", "the shape does not broadcast to x's",
         fmt::format("x {}, shape {}", to_string(x.shape()), to_string(shape)));
  }
  const Layout layout = leading == 0 ? propagate_layout(x.rank(), {&x}) : Layout::row_major;
  const Array y = reduce_to<Sum>(x, kept, layout);
  return leading == 0 ? y : y.reshape(shape);
}

namespace {

TANDEM_TARGETS double squares_block(const float* x, std::int64_t n) {
  double lanes[16] = {};
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (std::int64_t j = 0; j < 16; ++j) {
      const double v = static_cast<double>(x[i + j]);
      lanes[j] += v * v;
    }
  }
  for (; i < n; ++i) lanes[i % 16] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

}  // namespace

double sum_of_squares(const Array& x) {
  require_defined("sum_of_squares", "x", x);
  if (x.size() == 0) return 0;
  if (x.dtype() != DType::f32) {
    double total = 0;
    visit_dtype(x.dtype(), [&](auto scalar) {
      using T = decltype(scalar);
      reference::for_each_index(x.shape(), [&](const reference::Index& index) {
        const auto v = static_cast<double>(x.data<T>()[reference::offset_of(x, index, x.rank())]);
        total += v * v;
      });
    });
    return total;
  }
  const Array dense = x.is_contiguous() || x.is_channels_last() ? x : x.contiguous();
  const float* in = dense.data<float>();
  constexpr std::int64_t kGrain = 32768;
  const Parts parts = parallel_parts(x.size(), kGrain);
  std::vector<double> totals(static_cast<std::size_t>(parts.number));
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    totals[static_cast<std::size_t>(part)] = squares_block(in + begin, end - begin);
  });
  double total = 0;
  for (const double part : totals) total += part;
  return total;
}

}  // namespace tandem::kernels
