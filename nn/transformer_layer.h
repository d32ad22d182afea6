// TransformerEncoderLayer and TransformerDecoderLayer (Vaswani et al. 2017, section 3.1), with torch.nn's names.
// Batch first. Not here: embeddings and positions (position.h), whole models (models/transformer.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/dropout.h>
#include <tandem/nn/layer_norm.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/multihead_attention.h>

namespace tandem::nn {

struct TransformerLayerOptions {
  enum class Activation { relu, gelu };

  std::int64_t width = 0, heads = 1;
  std::int64_t feedforward = 2048;  ///< the width between linear1 and linear2
  double dropout = 0.1;             ///< of attention's probabilities, after linear1, and of what joins the residual
  Activation activation = Activation::relu;
  bool norm_first = false;  ///< x + f(norm(x)) in place of norm(x + f(x))
  double epsilon = 1e-5;    ///< of the norms

  MultiheadAttention::Options attention() const { return {.width = width, .heads = heads, .dropout = dropout}; }
  Linear::Options widen() const { return {.in = width, .out = feedforward}; }
  Linear::Options narrow() const { return {.in = feedforward, .out = width}; }
  LayerNorm::Options norm() const { return {.width = width, .epsilon = epsilon}; }
};

/// Self-attention, then two linear layers, each with residual and norm; x and y [B, T, width].
class TransformerEncoderLayer : public Module {
 public:
  using Options = TransformerLayerOptions;
  /// Throws Error as MultiheadAttention, Linear and Dropout do.
  explicit TransformerEncoderLayer(const Options& options) : options_(options) {}

  using Module::operator();
  Tensor operator()(const Tensor& x, const AttentionMasks& masks);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<TransformerEncoderLayer>(options_); }
  const Options& options() const { return options_; }

 protected:
  Tensor forward(const Tensor& x) override { return compute(x, {}); }

 private:
  Tensor compute(const Tensor& x, const AttentionMasks& masks);
  Tensor feed_forward(const Tensor& x);

  Options options_;
  Sub<MultiheadAttention> self_attn_{this, "self_attn", options_.attention()};
  Sub<Linear> linear1_{this, "linear1", options_.widen()}, linear2_{this, "linear2", options_.narrow()};
  Sub<LayerNorm> norm1_{this, "norm1", options_.norm()}, norm2_{this, "norm2", options_.norm()};
  Sub<Dropout> dropout_{this, "dropout", {.p = options_.dropout}};
  Sub<Dropout> dropout1_{this, "dropout1", {.p = options_.dropout}},
      dropout2_{this, "dropout2", {.p = options_.dropout}};
};

/// What a decoder layer keeps between tokens.
struct DecoderLayerCache {
  KeyValueCache self, memory;
};

/// Self-attention, attention on the encoder's output, two linear layers, each with residual and norm.
class TransformerDecoderLayer : public Module {
 public:
  using Options = TransformerLayerOptions;
  /// Throws Error as MultiheadAttention, Linear and Dropout do.
  explicit TransformerDecoderLayer(const Options& options) : options_(options) {}

  using Module::operator();
  /// x [B, T, width], memory [B, S, width]. `masks` are for the self-attention (usually causal), `memory_masks` for the
  /// attention on the memory.
  Tensor operator()(const Tensor& x, const Tensor& memory, const AttentionMasks& masks = {},
                    const AttentionMasks& memory_masks = {});
  /// The next tokens x [B, n, width], causally after those in the cache. Throws Error while recording gradients.
  Tensor step(const Tensor& x, const Tensor& memory, DecoderLayerCache& cache, const AttentionMasks& memory_masks = {});

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<TransformerDecoderLayer>(options_); }
  const Options& options() const { return options_; }

 private:
  template <class Self, class Memory>
  Tensor compute(const Tensor& x, Self&& on_itself, Memory&& on_memory);
  Tensor feed_forward(const Tensor& x);

  Options options_;
  Sub<MultiheadAttention> self_attn_{this, "self_attn", options_.attention()};
  Sub<MultiheadAttention> multihead_attn_{this, "multihead_attn", options_.attention()};
  Sub<Linear> linear1_{this, "linear1", options_.widen()}, linear2_{this, "linear2", options_.narrow()};
  Sub<LayerNorm> norm1_{this, "norm1", options_.norm()}, norm2_{this, "norm2", options_.norm()};
  Sub<LayerNorm> norm3_{this, "norm3", options_.norm()};
  Sub<Dropout> dropout_{this, "dropout", {.p = options_.dropout}};
  Sub<Dropout> dropout1_{this, "dropout1", {.p = options_.dropout}},
      dropout2_{this, "dropout2", {.p = options_.dropout}};
  Sub<Dropout> dropout3_{this, "dropout3", {.p = options_.dropout}};
};

}  // namespace tandem::nn
