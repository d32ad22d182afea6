// oneDNN's LSTM primitive on Arrays: another implementation of the formula of kernels/recurrent/lstm.h, kept as its
// judge. What was measured of the two stands in core/kernels/recurrent/recurrent_blocks.h.
#pragma once

#include <tandem/core/array.h>

namespace tandem::testing {

/// A layer and what it is given; f32, I inputs, H units.
struct LstmProblem {
  Array x;         ///< [T, B, I]
  Array h, c;      ///< [B, H]
  Array w_input;   ///< [4 H, I]
  Array w_hidden;  ///< [4 H, H]
  Array bias;      ///< [4 H]
  bool reverse = false;
};

struct LstmOutput {
  Array y;     ///< [T, B, H]
  Array h, c;  ///< [B, H], the last states
};

struct LstmGradients {
  Array x, h, c, w_input, w_hidden, bias;
};

struct LstmJudgement {
  LstmOutput output;
  LstmGradients gradients;
};
/// Forward, and backward from the gradients `d` of the output. Throws dnnl::error.
LstmJudgement onednn_lstm(const LstmProblem& problem, const LstmOutput& d);

}  // namespace tandem::testing
