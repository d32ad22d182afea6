// What is measured in a watched step of one group, inside the sweep: partial sums a block, added in order, so that
// every number of threads gives the same bits. As users see it: step_report.h.
#pragma once

#include <vector>

#include <tandem/optim/engine/frame.h>
#include <tandem/optim/engine/squares.h>

namespace tandem {

struct LevelWatch {
  bool synced = false;
  double alpha = 0;
  std::vector<Squares> distance;  // one a block
};

struct GroupWatch {
  std::vector<Squares> gradient, update;  // one a block
  bool leaf_sees_gradient = false;        // the leaf's gradients are those that arrived: it measures them
  bool leaf_is_update = false;            // the leaf alone makes the update: it measures it
  double clip_factor = 1;
  std::vector<LevelWatch> levels;  // the outermost loop first
  Array before;                    // the weights before the step, where the leaf does not measure
};

namespace detail {

inline std::size_t block_number(std::int64_t begin) { return static_cast<std::size_t>(begin / kBlock); }

/// Squares of x - y on the parameters inside [begin, end); x and y point to element `begin`. Padding is left out: a
/// rule may make NaN of it (0 / 0 with eps = 0).
template <class T>
Squares squared_distance(const Frame& frame, std::int64_t begin, std::int64_t end, const T* x, const T* y) {
  Squares all;
  for_runs(frame.tensors, begin, end, [&](std::int64_t from, std::int64_t to, bool) {
    all.add(difference_pass<T>(x + (from - begin), y + (from - begin), to - from));
  });
  return all;
}

}  // namespace detail
}  // namespace tandem
