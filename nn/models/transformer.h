// Transformer: encoder and decoder for translation (Vaswani et al. 2017), batch first, with decoding token by token.
//   source [B, S] -> embedding + positions -> encoder layers -> memory [B, S, width]
//   target [B, T] -> embedding + positions -> decoder layers on the memory -> logits [B, T, target tokens]
// Read next: nn/transformer_layer.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/dropout.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/layer_norm.h>
#include <tandem/nn/layer_stack.h>
#include <tandem/nn/position.h>
#include <tandem/nn/tied_linear.h>
#include <tandem/nn/transformer_layer.h>

namespace tandem::nn {

struct TransformerOptions {
  std::int64_t source_tokens = 0, target_tokens = 0;
  std::int64_t width = 512, heads = 8, feedforward = 2048;
  std::int64_t encoder_layers = 6, decoder_layers = 6;
  std::int64_t positions = 512;  ///< the longest sentence
  std::int64_t padding = 0;      ///< the id of padding, hidden from attention
  double dropout = 0.1;
  bool norm_first = true;          ///< trains without warm-up where the other order does not (Xiong et al. 2020)
  bool shared_vocabulary = false;  ///< one table for source, target and output; else one for target and output
};

/// Every option by its name, for files and command lines (nn/model_options.h): option("source_tokens", o.source_tokens)
/// and so on.
template <class Option>
void visit_options(TransformerOptions& o, Option&& option) {
  option("source_tokens", o.source_tokens);
  option("target_tokens", o.target_tokens);
  option("width", o.width);
  option("heads", o.heads);
  option("feedforward", o.feedforward);
  option("encoder_layers", o.encoder_layers);
  option("decoder_layers", o.decoder_layers);
  option("positions", o.positions);
  option("padding", o.padding);
  option("dropout", o.dropout);
  option("norm_first", o.norm_first);
  option("shared_vocabulary", o.shared_vocabulary);
}

/// What decoding keeps: the memory, and keys and values of every layer for the tokens so far.
struct TransformerCache {
  Tensor memory;      ///< [B, S, width]
  Array hidden_keys;  ///< [B, S], not 0: padding of the source
  std::vector<DecoderLayerCache> layers;
  std::int64_t tokens = 0;  ///< decoded so far

  /// Row i becomes what row `rows[i]` was: the beams that go on. rows i64.
  void reorder(const Array& rows);
};
inline Tensor& output_of(TransformerCache& cache) { return cache.memory; }

/// Parameters: source_embedding.weight, target_embedding.weight (also the output's), encoder.0.self_attn.in_proj_weight
/// ..., decoder.0 ..., encoder_norm and decoder_norm with norm_first. Embeddings start from N(0, 1 / width) and are
/// multiplied by sqrt(width).
class Transformer : public Module {
 public:
  using Options = TransformerOptions;
  /// Throws Error when sizes do not fit, or the vocabularies differ though they are shared.
  explicit Transformer(const Options& options);

  using Module::operator();
  /// Logits [B, T, target tokens] for source i64 [B, S] and target i64 [B, T], each target token seeing those up to
  /// itself. Throws Error for ids outside the vocabularies and for sentences longer than the positions.
  Tensor operator()(const Tensor& source, const Tensor& target);

  /// The start of decoding: the memory of source [B, S].
  TransformerCache start(const Tensor& source);
  /// Logits [B, target tokens] of what follows `ids` [B, 1], the next token of each sentence. Throws Error while
  /// recording gradients.
  Tensor step(const Tensor& ids, TransformerCache& cache);

  std::string describe() const override;
  const Options& options() const { return options_; }

 private:
  Tensor embed(Embedding& table, const Tensor& ids, std::int64_t first);
  Tensor encode(const Tensor& source, const Array& hidden_keys);
  Array hidden(const Tensor& ids) const;

  // The table of the source stands first in the state dict and draws its values last, hence child() for all of them.
  Options options_;
  std::unique_ptr<Embedding> source_;  // null with a shared vocabulary
  Embedding target_;
  SinusoidalPosition position_;
  Dropout dropout_;
  LayerStack<TransformerEncoderLayer> encoder_;
  LayerStack<TransformerDecoderLayer> decoder_;
  std::unique_ptr<LayerNorm> encoder_norm_, decoder_norm_;  // with norm_first
  TiedLinear output_;
};

/// A small one that learns Multi30k on a CPU: width 256, 4 heads, feedforward 512, 3 + 3 layers, dropout 0.3.
TransformerOptions small_transformer(std::int64_t source_tokens, std::int64_t target_tokens);

}  // namespace tandem::nn
