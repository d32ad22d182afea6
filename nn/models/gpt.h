// GPT: a decoder-only Transformer for text (Radford et al. 2019, "Language models are unsupervised multitask
// learners"), batch first.
//   ids [B, T] -> embedding + positions -> dropout -> layers, each token seeing those up to itself -> norm
//     -> logits [B, T, tokens], by the embedding's weight
// The defaults are those of nanoGPT for characters on a CPU (https://github.com/karpathy/nanoGPT): 0.8 million weights.
// Not here: sampling. Read next: nn/transformer_layer.h.
#pragma once

#include <cstdint>
#include <string>

#include <tandem/nn/dropout.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/layer_norm.h>
#include <tandem/nn/layer_stack.h>
#include <tandem/nn/position.h>
#include <tandem/nn/sub.h>
#include <tandem/nn/tied_linear.h>
#include <tandem/nn/transformer_layer.h>

namespace tandem::nn {

struct GptOptions {
  std::int64_t tokens = 0;  ///< in the vocabulary
  std::int64_t width = 128, heads = 4, layers = 4;
  std::int64_t feedforward = 512;
  std::int64_t positions = 64;  ///< the longest text that it sees at once
  double dropout = 0;
};

/// Every option by its name, for files and command lines (nn/model_options.h): option("tokens", o.tokens) and so on.
template <class Option>
void visit_options(GptOptions& o, Option&& option) {
  option("tokens", o.tokens);
  option("width", o.width);
  option("heads", o.heads);
  option("layers", o.layers);
  option("feedforward", o.feedforward);
  option("positions", o.positions);
  option("dropout", o.dropout);
}

/// Parameters: embedding.weight (also the output's), position.weight, layers.0.self_attn.in_proj_weight ...,
/// norm.weight, norm.bias. Weights start from N(0, 0.02^2), those that end a residual branch from N(0, 0.02^2 / (2
/// layers)), biases from 0: GPT-2's choice.
class Gpt : public Module {
 public:
  using Options = GptOptions;
  /// Throws Error for sizes below 1, heads that do not divide width, and a dropout outside [0, 1).
  explicit Gpt(const Options& options);

  std::string describe() const override;
  const Options& options() const { return options_; }

 protected:
  /// ids i64 [B, T]. Throws Error for ids outside the vocabulary, and texts longer than the positions.
  Tensor forward(const Tensor& ids) override;

 private:
  TransformerLayerOptions layer() const;

  Options options_;
  Sub<Embedding> embedding_{this, "embedding", {.tokens = options_.tokens, .width = options_.width}};
  Sub<LearnedPosition> position_{this, "position", {.width = options_.width, .positions = options_.positions}};
  Sub<Dropout> dropout_{this, "dropout", {.p = options_.dropout}};
  Sub<LayerStack<TransformerEncoderLayer>> layers_{this, "layers", options_.layers, layer()};
  Sub<LayerNorm> norm_{this, "norm", {.width = options_.width}};
  Sub<TiedLinear> output_{this, "output", {.bias = false}, embedding_->weight};
};

}  // namespace tandem::nn
