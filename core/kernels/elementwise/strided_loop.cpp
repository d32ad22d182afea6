// Plans of joint walks: sort dims by the strides of the first operand, leave out sizes of 1, join what lies behind each
// other; and the walk over a plan.
#include <tandem/core/kernels/elementwise/strided_loop.h>

#include <limits>

namespace tandem::kernels {

namespace {

std::int64_t order_key(std::int64_t stride) { return stride == 0 ? std::numeric_limits<std::int64_t>::max() : stride; }

struct Walk {
  const LoopPlan& plan;
  WalkTile function;
  void* context;

  // Columns [column, column + n) of the rows [begin, end), rows being counted over all dims but the innermost.
  void run(std::int64_t begin, std::int64_t end, std::int64_t column, std::int64_t n) const {
    const auto rank = static_cast<std::size_t>(plan.rank);
    std::array<std::int64_t, kMaxRank> index{};  // of dims 1 .. rank - 1
    std::int64_t rest = begin;
    for (std::size_t d = 1; d < rank; ++d) {
      index[d] = rest % plan.sizes[d];
      rest /= plan.sizes[d];
    }
    for (std::int64_t row = begin; row < end;) {
      Tile tile{n, rank > 1 ? std::min(end - row, plan.sizes[1] - index[1]) : 1, {}};
      for (std::size_t o = 0; o < LoopPlan::kOperands; ++o) {
        tile.begin[o] = column * plan.strides[o][0];
        for (std::size_t d = 1; d < rank; ++d) tile.begin[o] += index[d] * plan.strides[o][d];
      }
      function(context, plan, tile);
      row += tile.rows;
      index[1] += tile.rows;
      for (std::size_t d = 1; d + 1 < rank && index[d] == plan.sizes[d]; ++d) {
        index[d] = 0;
        ++index[d + 1];
      }
    }
  }
};

}  // namespace

bool is_flat(std::span<const Array* const> operands) {
  const Array& first = *operands[0];
  for (const Array* x : operands.subspan(1)) {
    if (!(x->shape() == first.shape()) || !(x->strides() == first.strides())) return false;
  }
  return first.is_contiguous() || first.is_channels_last();
}

LoopPlan plan_loop(std::span<const Array* const> operands) {
  LoopPlan plan;
  const Array& first = *operands[0];
  const std::size_t count = operands.size();
  if (is_flat(operands)) {
    plan.sizes[0] = first.size();
    for (std::size_t o = 0; o < count; ++o) plan.strides[o][0] = 1;
    return plan;
  }
  // Insertion sort, innermost (smallest stride) first; equal strides keep the logical order.
  std::array<int, kMaxRank> order{};
  std::size_t used = 0;
  for (int d = first.rank() - 1; d >= 0; --d) {
    if (first.shape(d) == 1) continue;
    std::size_t at = used++;
    for (; at > 0 && order_key(first.stride(order[at - 1])) > order_key(first.stride(d)); --at) {
      order[at] = order[at - 1];
    }
    order[at] = d;
  }
  const auto stride_of = [&](std::size_t operand, int dim) -> std::int64_t {
    const Array& x = *operands[operand];
    const int d = dim - (first.rank() - x.rank());
    return d < 0 || x.shape(d) == 1 ? 0 : x.stride(d);
  };
  std::size_t rank = 0;
  for (std::size_t k = 0; k < used; ++k) {
    const std::int64_t size = first.shape(order[k]);
    bool joins = rank > 0;
    for (std::size_t o = 0; o < count && joins; ++o) {
      joins = stride_of(o, order[k]) == plan.strides[o][rank - 1] * plan.sizes[rank - 1];
    }
    if (joins) {
      plan.sizes[rank - 1] *= size;
      continue;
    }
    plan.sizes[rank] = size;
    for (std::size_t o = 0; o < count; ++o) plan.strides[o][rank] = stride_of(o, order[k]);
    ++rank;
  }
  if (rank == 0) {  // a single element
    plan.sizes[0] = 1;
    for (std::size_t o = 0; o < count; ++o) plan.strides[o][0] = 1;
    rank = 1;
  }
  plan.rank = static_cast<int>(rank);
  return plan;
}

void prefer_transposed_tiles(LoopPlan& plan, std::size_t operands) {
  const auto rank = static_cast<std::size_t>(plan.rank);
  for (std::size_t o = 1; o < operands; ++o) {
    if (plan.strides[o][0] <= 1) continue;
    for (std::size_t d = 1; d < rank; ++d) {
      if (plan.strides[o][d] != 1) continue;
      std::swap(plan.sizes[1], plan.sizes[d]);
      for (auto& strides : plan.strides) std::swap(strides[1], strides[d]);
      return;
    }
  }
}

void walk(const LoopPlan& plan, WalkTile function, void* context) {
  const Walk all{plan, function, context};
  const std::int64_t n = plan.sizes[0];
  std::int64_t rows = 1;
  for (std::size_t d = 1; d < static_cast<std::size_t>(plan.rank); ++d) rows *= plan.sizes[d];
  if (n * rows <= kElementGrain) return all.run(0, rows, 0, n);
  if (rows < threads()) {  // few long rows: each is shared
    parallel_for(n, std::max<std::int64_t>(1, kElementGrain / rows),
                 [&](std::int64_t begin, std::int64_t end) { all.run(0, rows, begin, end - begin); });
    return;
  }
  parallel_for(rows, std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, n)),
               [&](std::int64_t begin, std::int64_t end) { all.run(begin, end, 0, n); });
}

}  // namespace tandem::kernels
