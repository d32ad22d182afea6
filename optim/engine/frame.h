// Frame, Block: the memory that the rule of one group works on, and the loops over it. Parameters of a group lie side
// by side in an arena (arena.h), and so does every buffer of state. In elements:
//
//   | conv1.weight | pad | conv2.weight | pad | ... | bn1.weight | pad | ...   (ranks above 1 first)
//
// A step sweeps over the arena in blocks of 8,192 elements, so that all levels of a rule work on a block while it is in
// cache. Read next: running.h, what a level does with a block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/threads.h>

namespace tandem {

inline constexpr std::int64_t kBlock = 8192;

class Traced;
struct GroupWatch;
class Workers;

/// Elements [begin, end) of the arena, which are updated in the same way.
struct Interval {
  std::int64_t begin = 0, end = 0;
  bool is_decayed = true;  ///< false: parameters of rank <= 1, which no_bias_decay leaves without weight decay
};

/// What a rule may know of a parameter. `strides` are of its elements in the arena.
struct ParameterInfo {
  std::string name;
  Shape shape;
  Strides strides;
};

/// What the rules of one group share.
struct Frame {
  std::int64_t size = 0;
  DType dtype = DType::f32;
  std::vector<ParameterInfo> parameters;
  std::vector<Interval> tensors;   ///< where each of `parameters` lies, without padding
  std::vector<Interval> all;       ///< every parameter: what a pull covers
  std::vector<Interval> arrived;   ///< parameters with a gradient in this step: what a leaf covers
  std::vector<char> has_gradient;  ///< of each of `parameters`, in this step
  GroupWatch* watch = nullptr;     ///< where a watched step is measured (watch.h)
  Workers* workers = nullptr;      ///< who trains with this process; null: nobody
  bool splits_syncs = false;       ///< on_sync: every sync waits for the fast weights of all blocks
};

/// Elements [begin, end) of the arena. All pointers are to element `begin`.
template <class T>
struct Block {
  std::int64_t begin, end;
  T* weight;
  const T* gradient;                  ///< null in later sweeps (Running::resume)
  const std::vector<Interval>* runs;  ///< the stretches in which gradients exist
  T* scratch;                         ///< `size()` numbers, for a level that changes the gradient

  std::int64_t size() const { return end - begin; }
};

/// The numbers of a block; a Traced arena is one parameter of one element.
template <class T>
inline constexpr std::int64_t kScratch = kBlock;
template <>
inline constexpr std::int64_t kScratch<Traced> = 16;

/// A number for each element of the arena, zero at the start: a buffer of state.
template <class T>
class Numbers {
 public:
  explicit Numbers(const Frame& frame) : array_(Array::zeros({frame.size}, frame.dtype)), data_(array_.data<T>()) {}
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  T* at(std::int64_t begin) const { return data_ + begin; }
  Array& array() { return array_; }

 private:
  Array array_;
  T* data_;
};

/// f(begin, end, scratch) on all blocks of [0, size), in parallel. The division into blocks depends on size alone.
template <class T, class F>
void for_blocks(std::int64_t size, F&& f) {
  constexpr std::int64_t kBlocksPerThread = 16;  // 131,072 weights: below, a second thread costs more than it gives
  parallel_for((size + kBlock - 1) / kBlock, kBlocksPerThread, [&](std::int64_t first, std::int64_t last) {
    alignas(64) T scratch[kScratch<T>];
    for (std::int64_t i = first; i < last; ++i) f(i * kBlock, std::min(size, (i + 1) * kBlock), scratch);
  });
}

/// f(begin, end, is_decayed) on the parts of runs inside [begin, end).
template <class F>
void for_runs(const std::vector<Interval>& runs, std::int64_t begin, std::int64_t end, F&& f) {
  auto run = std::lower_bound(runs.begin(), runs.end(), begin,
                              [](const Interval& r, std::int64_t element) { return r.end <= element; });
  for (; run != runs.end() && run->begin < end; ++run) {
    f(std::max(begin, run->begin), std::min(end, run->end), run->is_decayed);
  }
}

}  // namespace tandem
