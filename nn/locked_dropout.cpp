// See locked_dropout.h.
#include <fmt/format.h>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/nn/locked_dropout.h>
#include <tandem/nn/random_step.h>

namespace tandem::nn {

LockedDropout::LockedDropout(const Options& options) : options_(options) {
  if (!(options.p >= 0 && options.p < 1))
    fail("LockedDropout", "p must be in [0, 1)", fmt::format("{} given", options.p));
  state_ = random_buffer("generator", new_random_state());
}

Tensor LockedDropout::forward(const Tensor& x) {
  if (!is_training() || options_.p == 0) return x;
  Generator generator = next_generator(state_);
  return locked_dropout(x, options_.p, options_.time, generator);
}

std::string LockedDropout::describe() const { return fmt::format("LockedDropout({})", options_.p); }

}  // namespace tandem::nn
