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
};

/// Self-attention, then two linear layers, each with residual and norm; x and y [B, T, width].
class TransformerEncoderLayer : public Module {
 public:
  using Options = TransformerLayerOptions;
  /// Throws Error as MultiheadAttention, Linear and Dropout do.
  explicit TransformerEncoderLayer(const Options& options);

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
  MultiheadAttention self_attn_;
  Linear linear1_, linear2_;
  LayerNorm norm1_, norm2_;
  Dropout dropout_, dropout1_, dropout2_;
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
  explicit TransformerDecoderLayer(const Options& options);

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

 protected:
  /// Throws Error: a decoder layer needs a memory.
  Tensor forward(const Tensor& x) override;

 private:
  template <class Self, class Memory>
  Tensor compute(const Tensor& x, Self&& on_itself, Memory&& on_memory);
  Tensor feed_forward(const Tensor& x);

  Options options_;
  MultiheadAttention self_attn_, multihead_attn_;
  Linear linear1_, linear2_;
  LayerNorm norm1_, norm2_, norm3_;
  Dropout dropout_, dropout1_, dropout2_, dropout3_;
};

}  // namespace tandem::nn
