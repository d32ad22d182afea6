// What lstm.cpp and gru.cpp check before they project x: errors then name what the caller gave.
// Private to them. Not here: lengths and empty inputs, which the kernels check (core/kernels/recurrent.h).
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/autograd/tensor.h>

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

}  // namespace tandem::ops
