// See transformer_layer.h. Names and order of the children are torch.nn's.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/transformer_layer.h>

namespace tandem::nn {

namespace {

using Options = TransformerLayerOptions;

MultiheadAttention::Options attention(const Options& o) {
  return {.width = o.width, .heads = o.heads, .dropout = o.dropout};
}
Linear::Options widen(const Options& o) { return {.in = o.width, .out = o.feedforward}; }
Linear::Options narrow(const Options& o) { return {.in = o.feedforward, .out = o.width}; }
LayerNorm::Options norm(const Options& o) { return {.width = o.width, .epsilon = o.epsilon}; }

Tensor activate(const Tensor& x, Options::Activation activation) {
  return activation == Options::Activation::gelu ? gelu(x) : relu(x);
}

/// One part of a layer with its residual: norm(x + f(x)), or x + f(norm(x)).
template <class F>
Tensor with_residual(const Tensor& x, LayerNorm& norm_of_part, bool norm_first, F&& f) {
  return norm_first ? x + f(norm_of_part(x)) : norm_of_part(x + f(x));
}

std::string describe_layer(const char* name, const Options& o) {
  return fmt::format("{}({}, {} heads, feedforward {}, {}, {} norm{})", name, o.width, o.heads, o.feedforward,
                     o.activation == Options::Activation::gelu ? "gelu" : "relu", o.norm_first ? "pre" : "post",
                     o.dropout > 0 ? fmt::format(", dropout {}", o.dropout) : "");
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(const Options& o)
    : options_(o),
      self_attn_(attention(o)),
      linear1_(widen(o)),
      linear2_(narrow(o)),
      norm1_(norm(o)),
      norm2_(norm(o)),
      dropout_({.p = o.dropout}),
      dropout1_({.p = o.dropout}),
      dropout2_({.p = o.dropout}) {
  child("self_attn", self_attn_);
  child("linear1", linear1_);
  child("dropout", dropout_);
  child("linear2", linear2_);
  child("norm1", norm1_);
  child("norm2", norm2_);
  child("dropout1", dropout1_);
  child("dropout2", dropout2_);
}

Tensor TransformerEncoderLayer::operator()(const Tensor& x, const AttentionMasks& masks) {
  return enter(x, [&] { return compute(x, masks); });
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

TransformerDecoderLayer::TransformerDecoderLayer(const Options& o)
    : options_(o),
      self_attn_(attention(o)),
      multihead_attn_(attention(o)),
      linear1_(widen(o)),
      linear2_(narrow(o)),
      norm1_(norm(o)),
      norm2_(norm(o)),
      norm3_(norm(o)),
      dropout_({.p = o.dropout}),
      dropout1_({.p = o.dropout}),
      dropout2_({.p = o.dropout}),
      dropout3_({.p = o.dropout}) {
  child("self_attn", self_attn_);
  child("multihead_attn", multihead_attn_);
  child("linear1", linear1_);
  child("dropout", dropout_);
  child("linear2", linear2_);
  child("norm1", norm1_);
  child("norm2", norm2_);
  child("norm3", norm3_);
  child("dropout1", dropout1_);
  child("dropout2", dropout2_);
  child("dropout3", dropout3_);
}

template <class Self, class Memory>
Tensor TransformerDecoderLayer::compute(const Tensor& x, Self&& on_itself, Memory&& on_memory) {
  const bool first = options_.norm_first;
  Tensor y = with_residual(x, norm1_, first, [&](const Tensor& v) { return dropout1_(on_itself(v)); });
  y = with_residual(y, norm2_, first, [&](const Tensor& v) { return dropout2_(on_memory(v)); });
  return with_residual(y, norm3_, first, [&](const Tensor& v) { return feed_forward(v); });
}

Tensor TransformerDecoderLayer::operator()(const Tensor& x, const Tensor& memory, const AttentionMasks& masks,
                                           const AttentionMasks& memory_masks) {
  return enter(x, [&] {
    return compute(
        x, [&](const Tensor& v) { return self_attn_(v, masks); },
        [&](const Tensor& v) { return multihead_attn_(v, memory, memory, memory_masks); });
  });
}

Tensor TransformerDecoderLayer::step(const Tensor& x, const Tensor& memory, DecoderLayerCache& cache,
                                     const AttentionMasks& memory_masks) {
  return enter(x, [&] {
    return compute(
        x, [&](const Tensor& v) { return self_attn_.step(v, cache.self); },
        [&](const Tensor& v) { return multihead_attn_.step_on_memory(v, memory, cache.memory, memory_masks); });
  });
}

Tensor TransformerDecoderLayer::forward(const Tensor&) {
  fail("decoder layer", "there is no memory to attend to", "", "call it with x and the encoder's output");
}

Tensor TransformerDecoderLayer::feed_forward(const Tensor& x) {
  return dropout3_(linear2_(dropout_(activate(linear1_(x), options_.activation))));
}

std::string TransformerDecoderLayer::describe() const { return describe_layer("TransformerDecoderLayer", options_); }

}  // namespace tandem::nn
