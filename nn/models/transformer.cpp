// See transformer.h.
#include <cmath>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/transformer.h>

namespace tandem::nn {

namespace {

using Options = TransformerOptions;

TransformerLayerOptions layer_of(const Options& o) {
  return {.width = o.width,
          .heads = o.heads,
          .feedforward = o.feedforward,
          .dropout = o.dropout,
          .norm_first = o.norm_first};
}

}  // namespace

void TransformerCache::reorder(const Array& rows) {
  memory = kernels::take_rows(memory.value(), rows);
  if (hidden_keys.defined()) hidden_keys = kernels::take_rows(hidden_keys, rows);
  for (DecoderLayerCache& layer : layers) {
    layer.self.reorder(rows);
    layer.memory.reorder(rows);
  }
}

Transformer::Transformer(const Options& o)
    : options_(o),
      target_({.tokens = o.target_tokens, .width = o.width}),
      position_({.width = o.width, .positions = o.positions}),
      dropout_({.p = o.dropout}),
      encoder_(o.encoder_layers, layer_of(o)),
      decoder_(o.decoder_layers, layer_of(o)),
      output_({.bias = true}, target_.weight) {
  if (o.shared_vocabulary && o.source_tokens != o.target_tokens) {
    fail("Transformer", "a shared vocabulary has one size",
         fmt::format("source {}, target {} tokens", o.source_tokens, o.target_tokens));
  }
  set_origin(origin_of("transformer", o));
  const double deviation = 1 / std::sqrt(static_cast<double>(o.width));
  if (!o.shared_vocabulary) {
    source_ = std::make_unique<Embedding>(Embedding::Options{.tokens = o.source_tokens, .width = o.width});
    init::normal(source_->weight, 0, deviation);
    child("source_embedding", *source_);
  }
  init::normal(target_.weight, 0, deviation);
  child("target_embedding", target_);
  child("position", position_);
  child("dropout", dropout_);
  child("encoder", encoder_);
  child("decoder", decoder_);
  if (o.norm_first) {
    encoder_norm_ = std::make_unique<LayerNorm>(LayerNorm::Options{.width = o.width});
    decoder_norm_ = std::make_unique<LayerNorm>(LayerNorm::Options{.width = o.width});
    child("encoder_norm", *encoder_norm_);
    child("decoder_norm", *decoder_norm_);
  }
  child("output", output_);
}

Tensor Transformer::operator()(const Tensor& source, const Tensor& target) {
  return enter(source, [&](const Tensor& in) {
    const Array hidden_keys = hidden(in);
    const Tensor memory = encode(in, hidden_keys);
    const Tensor y =
        decoder_(embed(target_, target, 0), [&](TransformerDecoderLayer& layer, std::size_t, const Tensor& v) {
          return layer(v, memory, {.causal = true}, {.hidden_keys = hidden_keys});
        });
    return output_(decoder_norm_ ? (*decoder_norm_)(y) : y);
  });
}

TransformerCache Transformer::start(const Tensor& source) {
  return enter(source, [&](const Tensor& in) {
    TransformerCache cache;
    cache.layers.resize(decoder_.size());
    cache.hidden_keys = hidden(in);
    cache.memory = encode(in, cache.hidden_keys);
    return cache;
  });
}

Tensor Transformer::step(const Tensor& ids, TransformerCache& cache) {
  return enter(ids, [&](const Tensor& next) {
    if (next.rank() != 2 || next.shape(1) != 1) fail("step", "ids must be [B, 1]", "ids " + to_string(next.shape()));
    const Tensor x = embed(target_, next, cache.tokens);
    Tensor y = decoder_(x, [&](TransformerDecoderLayer& layer, std::size_t i, const Tensor& v) {
      return layer.step(v, cache.memory, cache.layers[i], {.hidden_keys = cache.hidden_keys});
    });
    cache.tokens += 1;
    if (decoder_norm_) y = (*decoder_norm_)(y);
    return reshape(output_(y), {next.shape(0), options_.target_tokens});
  });
}

Tensor Transformer::embed(Embedding& table, const Tensor& ids, std::int64_t first) {
  if (ids.rank() != 2) fail("Transformer", "ids must be [B, T]", "ids " + to_string(ids.shape()));
  return dropout_(position_(table(ids) * std::sqrt(static_cast<double>(options_.width)), first));
}

Tensor Transformer::encode(const Tensor& source, const Array& hidden_keys) {
  const Tensor y = encoder_(embed(source_ ? *source_ : target_, source, 0),
                            [&](TransformerEncoderLayer& layer, std::size_t, const Tensor& v) {
                              return layer(v, {.hidden_keys = hidden_keys});
                            });
  return encoder_norm_ ? (*encoder_norm_)(y) : y;
}

/// 1 where ids are padding; undefined when none is, so that attention has nothing to add.
Array Transformer::hidden(const Tensor& ids) const {
  const Array& value = ids.value();
  Array flags = kernels::equal(value, Array::scalar(static_cast<double>(options_.padding), value.dtype()));
  for (const std::int64_t flag : flags.to_vector<std::int64_t>()) {
    if (flag != 0) return flags;
  }
  return {};
}

std::string Transformer::describe() const {
  return fmt::format("Transformer({} -> {} tokens, width {}, {} heads, feedforward {}, {} + {} layers)",
                     options_.source_tokens, options_.target_tokens, options_.width, options_.heads,
                     options_.feedforward, options_.encoder_layers, options_.decoder_layers);
}

Options small_transformer(std::int64_t source_tokens, std::int64_t target_tokens) {
  return {.source_tokens = source_tokens,
          .target_tokens = target_tokens,
          .width = 256,
          .heads = 4,
          .feedforward = 512,
          .encoder_layers = 3,
          .decoder_layers = 3,
          .positions = 256,
          .dropout = 0.3};
}

}  // namespace tandem::nn
