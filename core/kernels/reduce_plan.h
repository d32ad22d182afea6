// How a reduction walks its input: dims in memory order, each kept or reduced, neighbours of one kind joined; and which
// dim is split over threads. Private to reduce.cpp.
#pragma once

#include <array>
#include <cstdint>

#include <tandem/core/array.h>

namespace tandem::kernels::detail {

struct ReduceDim {
  std::int64_t size = 1;
  std::int64_t x_stride = 0, y_stride = 0;  // in elements; y_stride 0 where reduced
  bool is_reduced = true;
};

/// Dims innermost first; at least two, so that a tile always has rows.
struct ReducePlan {
  std::size_t rank = 0;
  std::array<ReduceDim, kMaxRank + 2> dims{};
  std::size_t split = 0;   ///< the dim whose range threads share
  std::int64_t grain = 1;  ///< for parallel_for over that dim
};

/// y has x's rank and size 1 in the reduced dims.
ReducePlan plan_reduce(const Array& x, const Array& y);

}  // namespace tandem::kernels::detail
