// Plans of joint walks: sort dims by the strides of the output, leave out sizes of 1, join what lies behind each other.
#include <tandem/core/kernels/strided_loop.h>

namespace tandem::kernels {

namespace {

// All operands of one shape and one set of dense strides: a single dim. By far the most frequent case.
bool is_flat(std::span<const Array* const> operands) {
  const Array& y = *operands[0];
  for (const Array* x : operands.subspan(1)) {
    if (!(x->shape() == y.shape()) || !(x->strides() == y.strides())) return false;
  }
  return y.is_contiguous() || y.is_channels_last();
}

}  // namespace

LoopPlan plan_loop(std::span<const Array* const> operands) {
  LoopPlan plan;
  const Array& y = *operands[0];
  const std::size_t count = operands.size();
  if (is_flat(operands)) {
    plan.sizes[0] = y.size();
    for (std::size_t o = 0; o < count; ++o) plan.strides[o][0] = 1;
    return plan;
  }
  // Insertion sort, innermost (smallest stride of the output) first; equal strides keep the logical order.
  std::array<int, kMaxRank> order{};
  std::size_t used = 0;
  for (int d = y.rank() - 1; d >= 0; --d) {
    if (y.shape(d) == 1) continue;
    std::size_t at = used++;
    for (; at > 0 && y.stride(order[at - 1]) > y.stride(d); --at) order[at] = order[at - 1];
    order[at] = d;
  }
  const auto stride_of = [&](std::size_t operand, int dim) -> std::int64_t {
    const Array& x = *operands[operand];
    const int d = dim - (y.rank() - x.rank());
    return d < 0 || x.shape(d) == 1 ? 0 : x.stride(d);
  };
  std::size_t rank = 0;
  for (std::size_t k = 0; k < used; ++k) {
    const std::int64_t size = y.shape(order[k]);
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

}  // namespace tandem::kernels
