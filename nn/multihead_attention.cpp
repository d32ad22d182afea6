// See multihead_attention.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/nn/init.h>
#include <tandem/nn/multihead_attention.h>
#include <tandem/nn/random_step.h>

namespace tandem::nn {

namespace {

const MultiheadAttention::Options& checked(const MultiheadAttention::Options& options) {
  if (options.heads < 1 || options.width < 1 || options.width % options.heads != 0) {
    fail("MultiheadAttention", "heads must divide width",
         fmt::format("width {}, heads {}", options.width, options.heads));
  }
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail("MultiheadAttention", "dropout must be in [0, 1)", fmt::format("{} given", options.dropout));
  return options;
}

}  // namespace

void KeyValueCache::reorder(const Array& rows) {
  if (!k.defined()) return;
  k = kernels::take_rows(k, rows);
  v = kernels::take_rows(v, rows);
}

MultiheadAttention::MultiheadAttention(const Options& options)
    : options_(checked(options)),
      out_proj_(this, "out_proj", {.in = options.width, .out = options.width, .bias = options.bias}) {
  in_proj_weight = parameter("in_proj_weight", Array::empty({3 * options.width, options.width}));
  init::xavier_uniform(in_proj_weight);
  if (options.bias) {
    in_proj_bias = parameter("in_proj_bias", Array::zeros({3 * options.width}));
    init::constant(out_proj_->bias, 0);
  }
  if (options.dropout > 0) generator_ = random_buffer("generator", new_random_state());
}

Tensor MultiheadAttention::operator()(const Tensor& x, const AttentionMasks& masks) {
  return enter(x, [&](const Tensor& in) { return attend_self(in, masks); });
}

Tensor MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionMasks& masks) {
  return enter(query, [&](const Tensor& q) {
    check("query", q), check("key", key), check("value", value);
    if (q.state() == key.state() && key.state() == value.state()) return attend_self(q, masks);
    const std::int64_t width = options_.width;
    if (key.state() != value.state())
      return attend(project(q, 0, 1), project(key, 1, 2), project(value, 2, 3), masks, 0);
    const Tensor both = project(key, 1, 3);
    return attend(project(q, 0, 1), slice(both, 2, 0, width), slice(both, 2, width, 2 * width), masks, 0);
  });
}

Tensor MultiheadAttention::step(const Tensor& x, KeyValueCache& cache, const AttentionMasks& masks) {
  return enter(x, [&](const Tensor& in) {
    check("x", in);
    const std::int64_t width = options_.width, before = cache.size();
    const Tensor all = project(in, 0, 3);
    if (all.requires_grad()) fail("step", "a cache passes no gradients on", "", "decode under a NoGradGuard");
    const Array k = all.value().slice(2, width, 2 * width), v = all.value().slice(2, 2 * width, 3 * width);
    KeyValueCache next;  // takes the place of `cache` once nothing can throw
    next.k = before == 0 ? k.contiguous() : kernels::concatenate({cache.k, k}, 1);
    next.v = before == 0 ? v.contiguous() : kernels::concatenate({cache.v, v}, 1);
    AttentionMasks causal = masks;
    causal.causal = true;
    const Tensor y = attend(slice(all, 2, 0, width), next.k, next.v, causal, before);
    cache = std::move(next);
    return y;
  });
}

Tensor MultiheadAttention::step_on_memory(const Tensor& query, const Tensor& memory, KeyValueCache& cache,
                                          const AttentionMasks& masks) {
  return enter(query, [&](const Tensor& in) {
    check("query", in);
    const Tensor q = project(in, 0, 1);
    if (q.requires_grad()) fail("step_on_memory", "a cache passes no gradients on", "", "decode under a NoGradGuard");
    if (cache.size() > 0) return attend(q, cache.k, cache.v, masks, 0);
    check("memory", memory);
    const Array both = project(memory, 1, 3).value();
    KeyValueCache next{both.slice(2, 0, options_.width).contiguous(),
                       both.slice(2, options_.width, 2 * options_.width).contiguous()};
    const Tensor y = attend(q, next.k, next.v, masks, 0);
    cache = std::move(next);
    return y;
  });
}

void MultiheadAttention::check(const char* name, const Tensor& x) const {
  if (x.rank() == 3 && x.shape(2) == options_.width) return;
  fail("attention", fmt::format("{} must be [B, T, {}]", name, options_.width),
       fmt::format("{} {}", name, to_string(x.shape())));
}

Tensor MultiheadAttention::project(const Tensor& x, std::int64_t begin, std::int64_t end) const {
  const std::int64_t width = options_.width;
  const Tensor bias = in_proj_bias.defined() ? slice(in_proj_bias, 0, begin * width, end * width) : Tensor{};
  return linear(x, slice(in_proj_weight, 0, begin * width, end * width), bias);
}

/// [B, T, width] -> [B, heads, T, width / heads].
Tensor MultiheadAttention::heads_of(const Tensor& x) const {
  return transpose(reshape(x, {x.shape(0), x.shape(1), options_.heads, options_.width / options_.heads}), 1, 2);
}

namespace {

AttentionOptions options_of(const AttentionMasks& masks, std::int64_t first_query, double dropout,
                            const Tensor& generator) {
  AttentionOptions options{.causal = masks.causal,
                           .first_query = first_query,
                           .mask = masks.mask,
                           .hidden_keys = masks.hidden_keys,
                           .dropout = dropout};
  if (dropout > 0) options.generator = next_generator(generator);
  return options;
}

}  // namespace

Tensor MultiheadAttention::attend_self(const Tensor& x, const AttentionMasks& masks) {
  check("x", x);
  const AttentionOptions options = options_of(masks, 0, is_training() ? options_.dropout : 0, generator_);
  return out_proj_(self_attention(project(x, 0, 3), options_.heads, options));
}

Tensor MultiheadAttention::attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionMasks& masks,
                                  std::int64_t first_query) {
  const AttentionOptions options = options_of(masks, first_query, is_training() ? options_.dropout : 0, generator_);
  const Tensor y = scaled_dot_product_attention(heads_of(q), heads_of(k), heads_of(v), options);
  return out_proj_(reshape(transpose(y, 1, 2), q.shape()));
}

std::string MultiheadAttention::describe() const {
  return fmt::format("MultiheadAttention({}, {} head{}{})", options_.width, options_.heads,
                     options_.heads == 1 ? "" : "s",
                     options_.dropout > 0 ? fmt::format(", dropout {}", options_.dropout) : "");
}

std::int64_t MultiheadAttention::multiply_adds(const Shape& x, const Shape&) const {
  return x.count() * (3 * options_.width + 2 * x[1]);  // of self-attention
}

}  // namespace tandem::nn
