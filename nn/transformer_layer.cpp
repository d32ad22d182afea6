// See transformer_layer.h. Names and order of the children are torch.nn's.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/transformer_layer.h>

namespace tandem::nn {

namespace {

using Options = TransformerLayerOptions;

Tensor activate(const Tensor& x, Options::Activation activation) {
  return activation == Options::Activation::gelu ? gelu(x) : relu(x);
}

/// One part of a layer with its residual: norm(x + f(x)), or x + f(norm(x)).
template <class F>
Tensor with_residual(const Tensor& x, Sub<LayerNorm>& norm_of_part, bool norm_first, F&& f) {
  return norm_first ? x + f(norm_of_part(x)) : norm_of_part(x + f(x));
}

std::string describe_layer(const char* name, const Options& o) {
  return fmt::format("{}({}, {} heads, feedforward {}, {}, {} norm{})", name, o.width, o.heads, o.feedforward,
                     o.activation == Options::Activation::gelu ? "gelu" : "relu", o.norm_first ? "pre" : "post",
                     o.dropout > 0 ? fmt::format(", dropout {}", o.dropout) : "");
}

}  // namespace

Tensor TransformerEncoderLayer::operator()(const Tensor& x, const AttentionMasks& masks) {
  return enter(x, [&](const Tensor& in) { return compute(in, masks); });
}

Tensor TransformerEncoderLayer::compute(const Tensor& x, const AttentionMasks& masks) {
  const Tensor y =
      with_residual(x, norm1_, options_.norm_first, [&](const Tensor& v) { return dropout1_(self_attn_(v, masks)); });
  return with_residual(y, norm2_, options_.norm_first, [&](const Tensor& v) { return feed_forward(v); });
}

Tensor TransformerEncoderLayer::feed_forward(const Tensor& x) {
  return dropout2_(linear2_(dropout_(activate(linear1_(x), options_.activation))));
}

std::string TransformerEncoderLayer::describe() const { return describe_layer("TransformerEncoderLayer", options_); }

template <class Self, class Memory>
Tensor TransformerDecoderLayer::compute(const Tensor& x, Self&& on_itself, Memory&& on_memory) {
  const bool first = options_.norm_first;
  Tensor y = with_residual(x, norm1_, first, [&](const Tensor& v) { return dropout1_(on_itself(v)); });
  y = with_residual(y, norm2_, first, [&](const Tensor& v) { return dropout2_(on_memory(v)); });
  return with_residual(y, norm3_, first, [&](const Tensor& v) { return feed_forward(v); });
}

Tensor TransformerDecoderLayer::operator()(const Tensor& x, const Tensor& memory, const AttentionMasks& masks,
                                           const AttentionMasks& memory_masks) {
  return enter(x, [&](const Tensor& in) {
    return compute(
        in, [&](const Tensor& v) { return self_attn_(v, masks); },
        [&](const Tensor& v) { return multihead_attn_(v, memory, memory, memory_masks); });
  });
}

Tensor TransformerDecoderLayer::step(const Tensor& x, const Tensor& memory, DecoderLayerCache& cache,
                                     const AttentionMasks& memory_masks) {
  return enter(x, [&](const Tensor& in) {
    return compute(
        in, [&](const Tensor& v) { return self_attn_->step(v, cache.self); },
        [&](const Tensor& v) { return multihead_attn_->step_on_memory(v, memory, cache.memory, memory_masks); });
  });
}

Tensor TransformerDecoderLayer::feed_forward(const Tensor& x) {
  return dropout3_(linear2_(dropout_(activate(linear1_(x), options_.activation))));
}

std::string TransformerDecoderLayer::describe() const { return describe_layer("TransformerDecoderLayer", options_); }

}  // namespace tandem::nn
