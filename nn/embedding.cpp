// See embedding.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/init.h>
#include <tandem/nn/random_step.h>

namespace tandem::nn {

Embedding::Embedding(const Options& options) : options_(options) {
  if (options.tokens < 1 || options.width < 1) {
    fail("Embedding", "tokens and width must be at least 1",
         fmt::format("tokens {}, width {}", options.tokens, options.width));
  }
  if (options.padding < -1 || options.padding >= options.tokens) {
    fail("Embedding", fmt::format("padding is {}, must be an id below {}, or -1", options.padding, options.tokens));
  }
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail("Embedding", "dropout must be in [0, 1)", fmt::format("{} given", options.dropout));
  weight = parameter("weight", Array::empty({options.tokens, options.width}));
  init::normal(weight, 0, 1);
  if (options.padding >= 0) weight.mutable_value().select(0, options.padding).fill(0);
  if (options.dropout > 0) generator_ = random_buffer("generator", new_random_state());
}

Tensor Embedding::forward(const Tensor& ids) {
  const Tensor y = embedding(weight, ids, {.padding = options_.padding});
  if (!is_training() || options_.dropout == 0) return y;
  Array factors = Array::empty({options_.tokens, 1}, y.dtype());
  Generator generator = next_generator(generator_);
  generator.fill_dropout_mask(factors, options_.dropout);
  return y * Tensor(kernels::take_rows(factors, ids.value()));
}

std::string Embedding::describe() const {
  std::string text = fmt::format("Embedding({} tokens -> {}", options_.tokens, options_.width);
  if (options_.padding >= 0) text += fmt::format(", padding {}", options_.padding);
  if (options_.dropout > 0) text += fmt::format(", dropout {}", options_.dropout);
  return text + ")";
}

}  // namespace tandem::nn
