// See gpt.h.
#include <cmath>

#include <fmt/format.h>

#include <tandem/nn/init.h>
#include <tandem/nn/models/gpt.h>

namespace tandem::nn {

Gpt::Gpt(const Options& options) : options_(options) {
  set_origin(origin_of("gpt", options));
  const auto start = [this](const char* pattern, double deviation) {
    for (NamedTensor& p : nn::parameters(*this, pattern).matching) init::normal(p.tensor, 0, deviation);
  };
  for (const char* pattern : {"embedding.weight", "position.weight", "*.in_proj_weight", "*.linear1.weight"})
    start(pattern, 0.02);
  const double of_branch = 0.02 / std::sqrt(2 * static_cast<double>(options.layers));
  for (const char* pattern : {"*.out_proj.weight", "*.linear2.weight"}) start(pattern, of_branch);
  for (NamedTensor& p : nn::parameters(*this, "*bias").matching) init::constant(p.tensor, 0);
}

TransformerLayerOptions Gpt::layer() const {
  if (options_.layers < 1) fail("Gpt", "layers must be at least 1", fmt::format("{} given", options_.layers));
  return {.width = options_.width,
          .heads = options_.heads,
          .feedforward = options_.feedforward,
          .dropout = options_.dropout,
          .activation = TransformerLayerOptions::Activation::gelu,
          .norm_first = true};
}

Tensor Gpt::forward(const Tensor& ids) {
  if (ids.rank() != 2) fail("Gpt", "ids must be [B, T]", "ids " + to_string(ids.shape()));
  const Tensor x = dropout_(position_(embedding_(ids)));
  const Tensor y =
      layers_(x, [](TransformerEncoderLayer& each, std::size_t, const Tensor& v) { return each(v, {.causal = true}); });
  return output_(norm_(y));
}

std::string Gpt::describe() const {
  return fmt::format("Gpt({} tokens, width {}, {} heads, {} layers, {} positions)", options_.tokens, options_.width,
                     options_.heads, options_.layers, options_.positions);
}

}  // namespace tandem::nn
