// See dropout.h.
#include <bit>
#include <cstdint>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/init.h>

namespace tandem::nn {

Dropout::Dropout(const Options& options) : options_(options) {
  if (!(options.p >= 0 && options.p < 1)) fail("Dropout", "p must be in [0, 1)", fmt::format("{} given", options.p));
  Array state = Array::zeros({2}, DType::i64);
  state.data<std::int64_t>()[0] = std::bit_cast<std::int64_t>(default_generator().bits());
  state_ = random_buffer("generator", state);
}

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || options_.p == 0) return x;
  auto* state = state_.mutable_value().data<std::int64_t>();
  const auto key = std::bit_cast<std::uint64_t>(state[0]);
  Generator generator(key, static_cast<std::uint64_t>(state[1]));
  Tensor y = dropout(x, options_.p, generator);
  ++state[1];
  state_.mutable_value().mark_changed();
  return y;
}

std::string Dropout::describe() const { return fmt::format("Dropout({})", options_.p); }

}  // namespace tandem::nn
