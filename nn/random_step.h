// Random numbers of a layer, keyed by (seed, step, layer): what Dropout and its relatives keep as a random buffer.
#pragma once

#include <bit>
#include <cstdint>

#include <tandem/autograd/evaluations.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/generator.h>
#include <tandem/nn/init.h>

namespace tandem::nn {

/// i64 [2]: a key drawn from default_generator(), and the number of calls so far.
inline Tensor new_random_state() {
  Array state = Array::zeros({2}, DType::i64);
  state.data<std::int64_t>()[0] = std::bit_cast<std::int64_t>(default_generator().bits());
  return state;
}

/// The generator of this call; the next call gets another.
inline Generator next_generator(Tensor state) {
  Array value = state.mutable_value();
  Evaluations::note(value);
  auto* words = value.data<std::int64_t>();
  const Generator generator(std::bit_cast<std::uint64_t>(words[0]), static_cast<std::uint64_t>(words[1]++));
  value.mark_changed();
  return generator;
}

}  // namespace tandem::nn
