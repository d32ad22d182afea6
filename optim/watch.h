// What is measured in a watched step of one group, inside the pass over its blocks: partial sums a block, added in
// order, so that every number of threads gives the same bits. Private to optim/ (group.cpp, bound_loop.h,
// bound_clip.h); as users see it: step_report.h.
#pragma once

#include <vector>

#include <tandem/optim/bound.h>
#include <tandem/optim/squares.h>

namespace tandem {

struct LevelWatch {
  bool synced = false;
  double alpha = 0;
  std::vector<Squares> distance;  // one a block
};

struct GroupWatch {
  std::vector<Squares> gradient, update;  // one a block
  double clip_factor = 1;
  std::vector<LevelWatch> levels;  // the outermost loop first
  Array before;                    // the weights before a step of several phases
};

namespace detail {

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

/// Calls update(), phase `phase` of `phases` of the block, and measures what all phases together do to the weights.
template <class T, class F>
__attribute__((noinline)) void watch_update(const Frame& frame, const Block<T>& block, int phase, int phases,
                                            F&& update) {
  GroupWatch& watch = *frame.watch;
  alignas(64) T scratch[kBlock];
  T* const before = phases == 1 ? scratch : watch.before.data<T>() + block.begin;
  if (phase == 0) std::copy(block.weight + block.begin, block.weight + block.end, before);
  update();
  if (phase + 1 < phases) return;
  watch.update[static_cast<std::size_t>(block.begin / kBlock)] =
      squared_distance(frame, block.begin, block.end, block.weight + block.begin, before);
}

}  // namespace detail
}  // namespace tandem
