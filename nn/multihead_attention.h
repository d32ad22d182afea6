// MultiheadAttention (Vaswani et al. 2017, section 3.2.2), with torch.nn.MultiheadAttention's names. Batch first.
// Decoding token by token keeps keys and values in a cache. Read next: core/kernels/attention/attention.h for the
// masks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/linear.h>
#include <tandem/nn/sub.h>

namespace tandem::nn {

/// Which keys a query sees. A query that sees none gives zeros (and then the output's bias).
struct AttentionMasks {
  bool causal = false;          ///< query i sees keys up to i
  Array mask = Array();         ///< added to the scores; broadcasts to [B, heads, T, S]; -inf hides
  Array hidden_keys = Array();  ///< [B, S], not 0: padding (PyTorch's key_padding_mask)
};

/// Keys and values of the tokens so far, [B, S, width]; empty at first. For decoding, which needs no gradients.
struct KeyValueCache {
  Array k, v;

  std::int64_t size() const { return k.defined() ? k.shape(1) : 0; }
  /// Row i becomes what row `rows[i]` was: the beams that go on. rows i64.
  void reorder(const Array& rows);
};

/// y = concat_h(attention(q w_q^h, k w_k^h, v w_v^h)) w_o; q [B, T, width], k and v [B, S, width], y [B, T, width].
/// in_proj_weight starts from Xavier's uniform, biases from 0, out_proj.weight as Linear's: PyTorch's choice.
class MultiheadAttention : public Module {
 public:
  struct Options {
    std::int64_t width = 0, heads = 1;
    bool bias = true;
    double dropout = 0;  ///< of the probabilities, while training
  };

  /// Throws Error when heads does not divide width or dropout is outside [0, 1).
  explicit MultiheadAttention(const Options& options);

  using Module::operator();
  /// Self-attention.
  Tensor operator()(const Tensor& x, const AttentionMasks& masks);
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionMasks& masks = {});
  /// Self-attention of the next tokens x [B, n, width] on all before and themselves, causally; they join the cache.
  /// hidden_keys, when given, covers the whole cache afterwards. Throws Error while recording gradients; an Error
  /// leaves the cache as it was.
  Tensor step(const Tensor& x, KeyValueCache& cache, const AttentionMasks& masks = {});
  /// Attention on `memory` [B, S, width], whose keys and values are computed once and kept in the cache.
  Tensor step_on_memory(const Tensor& query, const Tensor& memory, KeyValueCache& cache,
                        const AttentionMasks& masks = {});

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<MultiheadAttention>(options_); }
  std::int64_t multiply_adds(const Shape& x, const Shape& y) const override;
  const Options& options() const { return options_; }

  Tensor in_proj_weight;  ///< [3 width, width]: of queries, keys, values
  Tensor in_proj_bias;    ///< [3 width], or undefined

 protected:
  Tensor forward(const Tensor& x) override { return attend_self(x, {}); }

 private:
  Tensor attend_self(const Tensor& x, const AttentionMasks& masks);
  /// Projection by the parts [begin, end) of in_proj: 0 queries, 1 keys, 2 values.
  Tensor project(const Tensor& x, std::int64_t begin, std::int64_t end) const;
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionMasks& masks,
                std::int64_t first_query);
  Tensor heads_of(const Tensor& x) const;
  void check(const char* name, const Tensor& x) const;

  Options options_;
  Sub<Linear> out_proj_;
  Tensor generator_;
};

}  // namespace tandem::nn
