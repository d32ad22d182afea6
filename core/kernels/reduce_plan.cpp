// Plans of reductions. A kept dim is split in preference (threads then write apart); a reduced outermost dim is split
// when the output is small, each thread summing into totals of its own.
#include <tandem/core/kernels/reduce_plan.h>

#include <algorithm>
#include <limits>

namespace tandem::kernels::detail {

namespace {

constexpr std::int64_t kReduceGrain = 32768;  // elements of x worth a thread
constexpr std::int64_t kSmallOutput = 16384;  // outputs that are cheap to hold once a thread
constexpr std::int64_t kSmallColumns = 1024;  // below this, splitting the innermost dim splits cache lines too often

std::int64_t order_key(std::int64_t stride) { return stride == 0 ? std::numeric_limits<std::int64_t>::max() : stride; }

void choose_split(ReducePlan& plan, const Array& x, const Array& y) {
  const std::size_t outermost = plan.rank - 1;
  plan.split = outermost;
  if (plan.dims[outermost].is_reduced && y.size() > kSmallOutput) {
    std::size_t widest = outermost;
    std::int64_t width = 0;
    for (std::size_t d = 0; d < plan.rank; ++d) {
      const ReduceDim& dim = plan.dims[d];
      if (dim.is_reduced || dim.size <= width || (d == 0 && dim.size < kSmallColumns)) continue;
      widest = d;
      width = dim.size;
    }
    plan.split = widest;
  }
  const std::int64_t size = plan.dims[plan.split].size;
  plan.grain =
      std::max<std::int64_t>(1, kReduceGrain / std::max<std::int64_t>(1, x.size() / std::max<std::int64_t>(1, size)));
}

}  // namespace

ReducePlan plan_reduce(const Array& x, const Array& y) {
  std::array<int, kMaxRank> order{};
  std::size_t used = 0;
  for (int d = x.rank() - 1; d >= 0; --d) {
    if (x.shape(d) == 1) continue;
    std::size_t at = used++;
    for (; at > 0 && order_key(x.stride(order[at - 1])) > order_key(x.stride(d)); --at) order[at] = order[at - 1];
    order[at] = d;
  }
  ReducePlan plan;
  for (std::size_t k = 0; k < used; ++k) {
    const int d = order[k];
    const bool is_reduced = y.shape(d) == 1;
    const ReduceDim dim{x.shape(d), x.stride(d), is_reduced ? 0 : y.stride(d), is_reduced};
    if (plan.rank > 0) {
      ReduceDim& inner = plan.dims[plan.rank - 1];
      if (inner.is_reduced == dim.is_reduced && dim.x_stride == inner.x_stride * inner.size &&
          dim.y_stride == inner.y_stride * inner.size) {
        inner.size *= dim.size;
        continue;
      }
    }
    plan.dims[plan.rank++] = dim;
  }
  if (plan.rank == 0) plan.rank = 1;
  choose_split(plan, x, y);
  if (plan.rank == 1) plan.rank = 2;  // a tile of one row
  return plan;
}

}  // namespace tandem::kernels::detail
