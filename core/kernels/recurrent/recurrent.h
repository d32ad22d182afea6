// What recurrent layers share: their options, the order of steps, and the gradient of the recurrent weights.
// A layer's inputs are projected beforehand, all steps in one product (kernels::linear); only the part that must go
// step by step is here. Read next: lstm.h, gru.h. Not here: layers, directions, dropout (nn/recurrent.h).
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/profile.h>

namespace tandem {

struct RecurrentOptions {
  bool reverse = false;  ///< from the last step to the first
  /// Steps of each sequence of the batch, from 1 to T; empty: all have T. Beyond its end a sequence gives outputs 0,
  /// and its state stays (going in reverse: begins there).
  std::vector<std::int64_t> lengths = {};
};

}  // namespace tandem

namespace tandem::kernels {

/// The order of T steps, and which sequences run at each.
class Steps {
 public:
  Steps(std::int64_t count, const RecurrentOptions& options)
      : count_(count), reverse_(options.reverse), lengths_(options.lengths) {}

  std::int64_t count() const { return count_; }
  /// The time of the i-th step computed.
  std::int64_t at(std::int64_t i) const { return reverse_ ? count_ - 1 - i : i; }
  bool runs(std::int64_t time, std::int64_t sequence) const {
    return lengths_.empty() || time < lengths_[static_cast<std::size_t>(sequence)];
  }
  /// Whether step i of a sequence follows one that ran, and so reads its output; else it reads the first state.
  bool follows(std::int64_t i, std::int64_t sequence) const { return i > 0 && runs(at(i - 1), sequence); }
  /// The time whose output is the last state of a sequence.
  std::int64_t last(std::int64_t sequence) const {
    if (reverse_) return 0;
    return lengths_.empty() ? count_ - 1 : lengths_[static_cast<std::size_t>(sequence)] - 1;
  }
  bool have_lengths() const { return !lengths_.empty(); }

 private:
  std::int64_t count_;
  bool reverse_;
  const std::vector<std::int64_t>& lengths_;
};

struct RecurrentSizes {
  std::int64_t T = 0, B = 0, H = 0;
};

/// The sizes of x [T, B, gates H] with w [gates H, H]. Throws Error naming `where` when x, w, a state [B, H]
/// (undefined: zeros) or the lengths do not fit, or are not of one floating dtype.
RecurrentSizes recurrent_sizes(const char* where, std::int64_t gates, const Array& x, const Array& w,
                               const std::vector<Array>& states, const RecurrentOptions& options);

/// A first state [B, H] as dtype, row major; zeros for an undefined one.
Array or_zeros(const Array& state, const RecurrentSizes& s, DType dtype);

/// dw [G, H] = sum over steps of dz_t^T h_{t-1}, as one product over all steps; dz [T, B, G], y [T + .., B, H] with the
/// outputs first, h the first state [B, H].
Array recurrent_weight_grad(const Array& dz, const Array& y, const Array& h, const RecurrentOptions& options);

/// One product of all steps with w [gates H, H]; x [T, B, gates H]. Forward and backward take one each.
profile::Work recurrent_work(const Array& x, const Array& w);

}  // namespace tandem::kernels
