// See dropout.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/random_step.h>

namespace tandem::nn {

Dropout::Dropout(const Options& options) : options_(options) {
  if (!(options.p >= 0 && options.p < 1)) fail("Dropout", "p must be in [0, 1)", fmt::format("{} given", options.p));
  state_ = random_buffer("generator", new_random_state());
}

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || options_.p == 0) return x;
  Generator generator = next_generator(state_);
  return dropout(x, options_.p, generator);
}

std::string Dropout::describe() const { return fmt::format("Dropout({})", options_.p); }

}  // namespace tandem::nn
