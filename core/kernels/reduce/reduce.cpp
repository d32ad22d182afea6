// sum, mean, max, min and sum_to: over the plan of strided_loop.h, in x's memory order, down to the tiles of
// reduce_tiles.h, which say how accurate sums are. Parts of threads are combined in their order. argmax and topk:
// search.cpp.
#include <tandem/core/kernels/reduce/reduce.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include <tandem/core/capture.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/strided_loop.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/layout.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::Max, detail::Min, detail::ReduceDim, detail::Sum, detail::TotalOf;

constexpr std::int64_t kReduceGrain = 32768;  // elements of x worth a thread
constexpr std::int64_t kSmallOutput = 16384;  // outputs that are cheap to hold once a thread
constexpr std::int64_t kShortRow = 128;       // outputs that need neither plan nor threads
constexpr std::int64_t kSmallColumns = 1024;  // below this, splitting the innermost dim splits cache lines too often

// Dims in the memory order of x, innermost first, at least two, so that a tile always has rows; and the dim whose range
// threads share.
struct ReducePlan {
  std::size_t rank = 0;
  std::array<ReduceDim, kMaxRank> dims{};
  std::size_t split = 0;
  std::int64_t grain = 1;
};

bool is_reduced(const ReduceDim& dim) { return dim.y_stride == 0; }

// y has x's rank and size 1 in the reduced dims. A kept dim is split in preference (threads then write apart); a
// reduced outermost dim is split when the output is small, each thread making totals of its own.
ReducePlan plan_reduce(const Array& x, const Array& y) {
  const Array totals = y.expand(x.shape());
  const std::array<const Array*, 2> operands{&x, &totals};
  const LoopPlan loop = plan_loop(operands);
  ReducePlan plan;
  plan.rank = static_cast<std::size_t>(loop.rank);
  for (std::size_t d = 0; d < plan.rank; ++d) plan.dims[d] = {loop.sizes[d], loop.strides[0][d], loop.strides[1][d]};
  const std::size_t outermost = plan.rank - 1;
  plan.split = outermost;
  if (is_reduced(plan.dims[outermost]) && y.size() > kSmallOutput) {
    std::int64_t width = 0;
    for (std::size_t d = 0; d < plan.rank; ++d) {
      const ReduceDim& dim = plan.dims[d];
      if (is_reduced(dim) || dim.size <= width || (d == 0 && dim.size < kSmallColumns)) continue;
      plan.split = d;
      width = dim.size;
    }
  }
  const std::int64_t size = std::max<std::int64_t>(1, plan.dims[plan.split].size);
  plan.grain = std::max<std::int64_t>(1, kReduceGrain / std::max<std::int64_t>(1, x.size() / size));
  if (plan.rank == 1) plan.rank = 2;  // a tile of one row
  return plan;
}

template <class Op, class X>
using TotalFrom = TotalOf<Op, detail::WorkOf<X>>;

template <class Op, class X>
void reduce_tile(const X* x, const ReduceDim& inner, const ReduceDim& outer, TotalFrom<Op, X>* y) {
  if (is_reduced(inner)) return detail::strips<Op>(x, inner, outer, y);
  if (is_reduced(outer)) return detail::columns<Op>(x, inner, outer, y);
  for (std::int64_t i = 0; i < outer.size; ++i) {
    detail::columns<Op>(x + i * outer.x_stride, inner, ReduceDim{}, y + i * outer.y_stride);
  }
}

template <class Op, class X>
void reduce_dims(const ReducePlan& plan, std::size_t dims_left, const X* x, TotalFrom<Op, X>* y) {
  if (dims_left == 2) return reduce_tile<Op>(x, plan.dims[0], plan.dims[1], y);
  const ReduceDim& dim = plan.dims[dims_left - 1];
  for (std::int64_t i = 0; i < dim.size; ++i)
    reduce_dims<Op>(plan, dims_left - 1, x + i * dim.x_stride, y + i * dim.y_stride);
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

// Where a reduction reads and writes.
struct Ends {
  const std::byte* x;
  std::byte* y;
  std::int64_t inputs, outputs;
  DType dtype;  // of y
};

// y = scale * (the reduction of x). X is x's element type.
template <class Op, class X>
void run_plan(const ReducePlan& plan, const Ends& ends, double scale) {
  using Total = TotalFrom<Op, X>;
  const ReduceDim split = plan.dims[plan.split];
  const std::int64_t outputs = ends.outputs;
  const Parts ranges = parallel_parts(split.size, plan.grain);
  const int parts = is_reduced(split) ? ranges.number : 1;
  Totals<Total> totals(outputs * parts, Op::template kIdentity<Total>);
  Total* all = totals.data();
  const X* in = reinterpret_cast<const X*>(ends.x);
  if (ends.inputs > 0) {
    parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
      ReducePlan own = plan;
      own.dims[plan.split].size = end - begin;
      reduce_dims<Op>(own, own.rank, in + begin * split.x_stride,
                      all + (parts > 1 ? part * outputs : 0) + begin * split.y_stride);
    });
  }
  const ConvertRow store = convert_row(dtype_of<Total>, ends.dtype);
  parallel_for(outputs, 32768, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Total total = all[i];
      for (int part = 1; part < parts; ++part) total = Op::combine(total, all[part * outputs + i]);
      all[i] = total * static_cast<Total>(scale);
    }
    store(reinterpret_cast<const std::byte*>(all + begin), 1,
          ends.y + begin * static_cast<std::int64_t>(size_of(ends.dtype)), 1, end - begin);
  });
}

// y = scale * (the reduction of x); y is dense, of x's rank.
template <class Op, class X>
void reduce_into(const Array& x, Array& y, double scale) {
  capture::run("reduce", {&x}, {&y},
               [plan = plan_reduce(x, y), ends = Ends{x.bytes(), y.bytes(), x.size(), y.size(), y.dtype()}, scale] {
                 run_plan<Op, X>(plan, ends, scale);
               });
}

// The reduction of x to `kept` (x's rank), times scale.
template <class Op>
Array reduce_to(const Array& x, const Shape& kept, Layout layout, double scale = 1) {
  // Sums of whole numbers are i64, as in PyTorch: in a narrower type they would not fit.
  const bool is_counted = std::is_same_v<Op, Sum> && !is_floating(x.dtype());
  Array y = Array::empty(kept, is_counted ? DType::i64 : x.dtype(), layout);
  visit_dtype(x.dtype(), [&]<class X>(X) { reduce_into<Op, X>(x, y, scale); });
  return y;
}

template <class Op>
Array reduce(const char* where, const Array& x, const Dims& dims, bool keep, bool is_mean = false) {
  const profile::KernelScope profiled(where, x.dtype(), [&] { return profile::moves(x); });
  require_defined(where, "x", x);
  const Shape kept = dims.kept(where, x.shape());
  if (!std::is_same_v<Op, Sum> && x.size() == 0 && kept.count() > 0) {
    fail(where, "there is no element to choose from",
         fmt::format("x {}, dims {}", to_string(x.shape()), dims.to_string()));
  }
  const double scale = is_mean ? static_cast<double>(kept.count()) / static_cast<double>(x.size()) : 1;
  const Layout layout = keep ? propagate_layout(x.rank(), {&x}) : Layout::row_major;
  const Array y = reduce_to<Op>(x, kept, layout, scale);
  return keep ? y : y.reshape(dims.without(kept));
}

/// A bias gradient of a small network: a matrix whose rows are added without a plan.
bool is_short_matrix(const Array& x) {
  return x.defined() && x.dtype() == DType::f32 && x.rank() == 2 && x.is_contiguous() && x.shape(0) > 0 &&
         x.shape(1) > 0 && x.shape(1) <= kShortRow && x.shape(0) <= kReduceGrain / kShortRow;
}

/// y[n] = the sum over the rows of x [m, n], with the bits that reduce gives.
void sum_short_rows(const Array& x, Array& y) {
  const profile::KernelScope profiled("sum", x.dtype(), [&] { return profile::moves(x); });
  capture::run("sum", {&x}, {&y}, [in = x.data<float>(), out = y.data<float>(), m = x.shape(0), n = x.shape(1)] {
    double totals[kShortRow];
    std::fill_n(totals, n, 0.0);
    if (n == 1)
      detail::strips<Sum>(in, {m, 1, 0}, {}, totals);
    else
      detail::columns<Sum>(in, {n, 1, 1}, {m, n, 0}, totals);
    std::transform(totals, totals + n, out, [](double total) { return static_cast<float>(total); });
  });
}

}  // namespace

Array sum(const Array& x, const Dims& dims, bool keep) {
  const bool is_over_rows = dims.list().size() == 1 && dims.list()[0] == 0;
  if (keep || !is_over_rows || !is_short_matrix(x)) return reduce<Sum>("sum", x, dims, keep);
  Array y = Array::empty({x.shape(1)});
  sum_short_rows(x, y);
  return y;
}

void sum_rows_into(const Array& x, Array& y) {
  require_dtype("sum_rows_into", "x", x, DType::f32);
  require_dtype("sum_rows_into", "y", y, DType::f32);
  if (x.rank() != 2 || !(y.shape() == Shape{x.shape(1)}) || !y.is_contiguous()) {
    fail("sum_rows_into", "must be x [m, n] and y [n] without gaps",
         fmt::format("x {}, y {} with strides {}", to_string(x.shape()), to_string(y.shape()), to_string(y.strides())));
  }
  if (!is_short_matrix(x)) return y.copy_from(sum(x, {0}));
  sum_short_rows(x, y);
}

Array mean(const Array& x, const Dims& dims, bool keep) {
  require_floating("mean", "x", x);
  return reduce<Sum>("mean", x, dims, keep, true);
}

Array max(const Array& x, const Dims& dims, bool keep) { return reduce<Max>("max", x, dims, keep); }
Array min(const Array& x, const Dims& dims, bool keep) { return reduce<Min>("min", x, dims, keep); }

Array sum_to(const Array& x, const Shape& shape) {
  const profile::KernelScope profiled("sum_to", x.dtype(), [&] { return profile::moves(x); });
  require_defined("sum_to", "x", x);
  if (x.shape() == shape) return x;
  const int leading = x.rank() - shape.rank();
  bool fits = leading >= 0;
  Shape kept = Shape::filled(x.rank(), 1);
  for (int d = 0; fits && d < shape.rank(); ++d) {
    kept[leading + d] = shape[d];
    fits = shape[d] == 1 || shape[d] == x.shape(leading + d);
  }
  if (!fits)
    fail("sum_to", "the shape does not broadcast to x's",
         fmt::format("x {}, shape {}", to_string(x.shape()), to_string(shape)));
  const Layout layout = leading == 0 ? propagate_layout(x.rank(), {&x}) : Layout::row_major;
  const Array y = reduce_to<Sum>(x, kept, layout);
  return leading == 0 ? y : y.reshape(shape);
}

}  // namespace tandem::kernels
