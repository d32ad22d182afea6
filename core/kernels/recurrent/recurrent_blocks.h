// The hidden units of a recurrent layer in blocks of 16, and the product of one step with the recurrent weights, which
// stay packed for all steps. A thread computes the products of a block and at once what follows from them, while they
// are in its cache. Private to lstm.cpp and gru.cpp. Read next: panels.h, where the choice is explained and measured.
//
// One step, [B, H] times [H, 4 H], ms on two Zen 3 cores:   these panels   oneDNN's sgemm, which repacks each time
//   B = 20, H = 200 / 650 / 1150                            .04 / .38 / 2.1     .05 / .64 / 3.0
//   B = 80                                                  .17 / 2.3 / 6.9     .18 / 2.2 / 6.7
//
// A whole layer, forward + backward, against oneDNN 2.6's LSTM primitive (weights packed beforehand, not timed), ms of
// one thread; and the memory that waits for backward:
//   T 35, B 20,  650 ->  650     77 + 137,     9 MB      oneDNN   70 + 126,     36 MB
//   T 35, B 20,  200 ->  200      7 +  14,     3 MB                7 +  13,     11 MB
//   T 70, B 80,  400 -> 1150   1110 + 2144,  129 MB             1080 + 2054,   496 MB
// The same within 8 %, and oneDNN knows no lengths: these loops serve all shapes, and oneDNN's judge them
// (tests/core/onednn_lstm.h).
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/convert.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/product/panels.h>
#include <tandem/core/kernels/recurrent/recurrent.h>
#include <tandem/core/threads.h>

namespace tandem::kernels::detail {

class UnitBlocks {
 public:
  enum class Side { states, gates };

  /// states: multiplies h [rows, H] by w^T, giving each block a panel a gate. gates: multiplies dz [rows, gates H] by
  /// w, giving each block one panel. w [gates H, H] row major.
  template <class E>
  UnitBlocks(Side side, const E* w, std::int64_t gates, std::int64_t H, std::int64_t rows)
      : H_(H), rows_(rows), depth_(side == Side::states ? H : gates * H), panels_(side == Side::states ? gates : 1) {
    packed_ = Array::empty({blocks(), panels_, depth_, kPanelColumns});
    const std::int64_t panel = depth_ * kPanelColumns;
    float* to = packed_.data<float>();
    parallel_for(blocks(), 1 + kWork / (panels_ * panel), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block) {
        const std::int64_t unit = block * kPanelColumns;
        for (std::int64_t p = 0; p < panels_; ++p) {
          const PanelSourceOf<E> source =
              side == Side::states ? PanelSourceOf<E>{w + (p * H + unit) * H, 1, H} : PanelSourceOf<E>{w + unit, H, 1};
          pack_panel(source, depth_, units(block), to + (block * panels_ + p) * panel);
        }
      }
    });
    parts_ = parallel_parts(blocks(), grain());
    scratch_ = Array::empty({parts_.number, panels_ * rows_ * kPanelColumns});
  }

  /// f(z, first unit, units) for each block, shared between threads: z [panels][rows][16] holds the products of x
  /// [rows, depth], zeros when x is null.
  template <class F>
  void multiply(const float* x, F&& f) {
    const std::int64_t panel = depth_ * kPanelColumns, plane = rows_ * kPanelColumns;
    const float* packed = packed_.data<float>();
    float* scratch = scratch_.data<float>();
    parallel_for_parts(parts_, [&](std::int64_t begin, std::int64_t end, int part) {
      float* z = scratch + part * panels_ * plane;
      if (x == nullptr) std::fill_n(z, panels_ * plane, 0.0F);
      for (std::int64_t block = begin; block < end; ++block) {
        for (std::int64_t p = 0; p < panels_ && x != nullptr; ++p)
          multiply_panel(x, depth_, packed + (block * panels_ + p) * panel, rows_, depth_, z + p * plane);
        f(static_cast<const float*>(z), block * kPanelColumns, units(block));
      }
    });
  }

 private:
  static constexpr std::int64_t kWork = 1 << 16;
  std::int64_t blocks() const { return (H_ + kPanelColumns - 1) / kPanelColumns; }
  std::int64_t units(std::int64_t block) const { return std::min(kPanelColumns, H_ - block * kPanelColumns); }
  std::int64_t grain() const { return 1 + kWork / (rows_ * panels_ * depth_ * kPanelColumns); }

  std::int64_t H_, rows_, depth_, panels_;
  Parts parts_;
  Array packed_, scratch_;
};

/// to[i] = from[i] as E.
template <class X, class E>
TANDEM_TARGETS void copy_numbers(const X* __restrict from, std::int64_t n, E* __restrict to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = convert_number<E>(from[i]);
}

/// The matrix h_{t-1} [B, H] of step i as floats: the first state, the outputs of the step before, or in `mixed` rows
/// of both, and outputs that are not of floats.
template <class E>
const float* states_before(const Steps& steps, std::int64_t i, const RecurrentSizes& s, const E* y, const float* h,
                           std::vector<float>& mixed) {
  if (i == 0) return h;
  const std::int64_t before = steps.at(i - 1);
  const E* outputs = y + before * s.B * s.H;
  const auto begins = [&](std::int64_t b) { return steps.runs(steps.at(i), b) && !steps.follows(i, b); };
  bool any = false;
  for (std::int64_t b = 0; b < s.B && steps.have_lengths(); ++b) any = any || begins(b);
  if constexpr (std::is_same_v<E, float>) {
    if (!any) return outputs;
  }
  mixed.resize(static_cast<std::size_t>(s.B * s.H));
  if (!any) {
    copy_numbers(outputs, s.B * s.H, mixed.data());
    return mixed.data();
  }
  for (std::int64_t b = 0; b < s.B; ++b) {
    float* to = mixed.data() + b * s.H;
    begins(b) ? copy_numbers(h + b * s.H, s.H, to) : copy_numbers(outputs + b * s.H, s.H, to);
  }
  return mixed.data();
}

/// Gradients [rows, columns] of the step before in time, as floats for its product: those in memory, or, where they are
/// not of floats, a copy that the step wrote beside them. Two copies, because one is read while the other is written.
template <class E>
class StepGrads {
 public:
  explicit StepGrads(std::int64_t numbers) : numbers_(numbers) {
    if constexpr (!std::is_same_v<E, float>) copies_ = Array::empty({2, numbers});
  }
  /// Where step i writes its copy; null where none is needed.
  float* copy(std::int64_t i) { return copies_.defined() ? copies_.data<float>() + i % 2 * numbers_ : nullptr; }
  /// What step i left in `memory` or its copy.
  const float* of(std::int64_t i, const E* memory) {
    if constexpr (std::is_same_v<E, float>)
      return memory;
    else
      return copy(i);
  }

 private:
  std::int64_t numbers_;
  Array copies_;
};

// Sixteen numbers of a row, fewer in the last block: loops over them have a fixed length and become vectors.
using Sixteen = float[kPanelColumns];

template <class E>
TANDEM_INLINE void read(const E* from, std::int64_t units, Sixteen& to) {
  if (units == kPanelColumns) {
    for (int j = 0; j < kPanelColumns; ++j) to[j] = static_cast<float>(from[j]);
  } else {
    for (int j = 0; j < kPanelColumns; ++j) to[j] = j < units ? static_cast<float>(from[j]) : 0.0F;
  }
}
template <class E>
TANDEM_INLINE void write(const Sixteen& from, std::int64_t units, E* to) {
  if (units == kPanelColumns) {
    for (int j = 0; j < kPanelColumns; ++j) to[j] = E(from[j]);
  } else {
    for (int j = 0; j < units; ++j) to[j] = E(from[j]);
  }
}

}  // namespace tandem::kernels::detail
