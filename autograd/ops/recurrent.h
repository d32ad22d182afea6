// What lstm.cpp and gru.cpp share: the checks before x is projected, so that errors name what the caller gave, and a
// recurrence written with ops, step by step. Private to them. Not here: lengths and empty inputs, which the kernels
// check (core/kernels/recurrent/recurrent.h).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <tandem/autograd/tensor.h>
#include <tandem/core/kernels/recurrent/recurrent.h>

namespace tandem::ops {

/// The inputs of a recurrence but its states; biases may be undefined.
struct RecurrentInputs {
  const Tensor &x, &w_ih, &w_hh, &b_ih, &b_hh;
};
struct NamedState {
  const char* name;
  const Tensor& value;
};

/// Throws Error unless x is [T, B, I], w_ih [G H, I], w_hh [G H, H] and floating, biases [G H], states [B, H] or
/// undefined; G = `gates`.
void check_layer(const char* op, std::int64_t gates, const RecurrentInputs& in, const std::vector<NamedState>& states);
/// The same for one step: x [B, I], and all states defined.
void check_cell(const char* op, std::int64_t gates, const RecurrentInputs& in, const std::vector<NamedState>& states);

/// (z [B, G], states [B, H]) -> the next states, of which the first is the output.
using RecurrentStep = std::function<std::vector<Tensor>(const Tensor& z, const std::vector<Tensor>& states)>;

/// The outputs of all steps and the last states, [T + states, B, H], from z [T, B, G]; undefined states are zeros.
Tensor unrolled(const Tensor& z, std::int64_t H, std::vector<Tensor> states, const RecurrentOptions& options,
                const RecurrentStep& step);

}  // namespace tandem::ops
