// Scaled dot-product attention (Vaswani et al. 2017), and the same on a joint projection. First order in blocks,
// without the T x S matrix, which the definition holds. Read next: core/kernels/attention/attention.h.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>

#include "common.h"

namespace tandem {

using ops::floating, ops::value_of;

namespace {

/// Options without their Arrays, which go through Save; and back.
AttentionOptions numbers_of(AttentionOptions options) {
  options.mask = options.hidden_keys = Array();
  return options;
}
AttentionOptions with_masks(AttentionOptions options, const Tensor& mask, const Tensor& hidden_keys) {
  if (mask.defined()) options.mask = mask.value();
  if (hidden_keys.defined()) options.hidden_keys = hidden_keys.value();
  return options;
}

/// The value written with ops: p = softmax(scale q k^T + bias) without hidden places, dropout's factors `keep`.
Tensor definition(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const Array bias = kernels::attention_bias(q.value(), k.value(), options);
  const Array hidden = Array::scalar(-std::numeric_limits<double>::infinity(), bias.dtype());
  const Tensor shown = kernels::greater(bias, hidden);
  // A query without keys has no softmax: it gets one over unmasked scores, of which `shown` leaves nothing.
  const Array has_keys = kernels::greater(kernels::max(bias, {3}, true), hidden);
  const Tensor masks = kernels::where(has_keys, bias, Array::scalar(0, bias.dtype()));
  const double scale = kernels::attention_scale(q.value(), options);
  const Tensor p = softmax(matmul(q, transpose(k, 2, 3)) * scale + masks, 3) * shown;
  const Array keep = kernels::attention_keep(q.value(), k.value(), options);
  return matmul(keep.defined() ? p * Tensor(keep) : p, v);
}

/// [B, h, T, d], in memory [B, T, h, d]: the heads join without a copy.
Array empty_heads(const Shape& shape, DType dtype) {
  return Array::empty({shape[0], shape[2], shape[1], shape[3]}, dtype).transpose(1, 2);
}

/// [B, T, parts heads d] seen as the part'th [B, heads, T, d].
Array heads_of(const Array& x, std::int64_t part, std::int64_t parts, std::int64_t heads) {
  const std::int64_t B = x.shape(0), T = x.shape(1), d = x.shape(2) / (parts * heads);
  return x.reshape({B, T, parts, heads, d}).select(2, part).transpose(1, 2);
}

}  // namespace

/// y = p v, p = softmax(scale q k^T + masks);  dv = p^T dy, ds = p (dy v^T - sum(dy y)), dq = scale ds k, dk = scale
/// ds^T q
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  constexpr const char* kName = "scaled_dot_product_attention";
  if (q.defined() && q.dtype() == DType::bf16)
    return to(scaled_dot_product_attention(to(q, DType::f32), to(k, DType::f32), to(v, DType::f32), options),
              q.dtype());
  kernels::AttentionForward forward =
      kernels::attention(value_of(kName, "q", q), value_of(kName, "k", k), value_of(kName, "v", v), options);
  return record(kName, std::move(forward.y), {q, k, v},
                {q, k, v, Save::output(), Save(forward.rows), options.mask, options.hidden_keys},
                [numbers = numbers_of(options)](const Tensor& dy, const Saved& saved, Needs) {
                  const AttentionOptions given = with_masks(numbers, saved[5], saved[6]);
                  Array dq = empty_heads(saved[0].shape(), dy.dtype()), dk = empty_heads(saved[1].shape(), dy.dtype()),
                        dv = empty_heads(saved[2].shape(), dy.dtype());
                  kernels::attention_grad(dy.value(), saved[0].value(), saved[1].value(), saved[2].value(),
                                          {saved[3].value(), saved[4].value()}, given, dq, dk, dv);
                  return Grads{dq, dk, dv};
                },
                {.definition = [numbers = numbers_of(options)](const std::vector<Tensor>& in, const Saved& saved) {
                  return definition(in[0], in[1], in[2], with_masks(numbers, saved[5], saved[6]));
                }});
}

/// y = the heads of scaled_dot_product_attention joined;  dx = dq, dk, dv side by side
Tensor self_attention(const Tensor& x, std::int64_t heads, const AttentionOptions& options) {
  const Array& given = floating("self_attention", "x", x);
  if (given.dtype() == DType::bf16) return to(self_attention(to(x, DType::f32), heads, options), DType::bf16);
  if (given.rank() != 3 || heads < 1 || given.shape(2) % (3 * heads) != 0) {
    fail("self_attention", "x must be [B, T, 3 E] with E a multiple of heads",
         fmt::format("x {}, heads {}", to_string(given.shape()), heads));
  }
  const Array joint = given.contiguous();
  const auto part = [heads](const Array& a, std::int64_t i) { return heads_of(a, i, 3, heads); };
  kernels::AttentionForward forward = kernels::attention(part(joint, 0), part(joint, 1), part(joint, 2), options);
  const Shape joined{joint.shape(0), joint.shape(1), joint.shape(2) / 3};
  Array y = forward.y.transpose(1, 2).reshape(joined);
  return record(
      "self_attention", std::move(y), {x}, {x, Save::output(), Save(forward.rows), options.mask, options.hidden_keys},
      [numbers = numbers_of(options), heads, part](const Tensor& dy, const Saved& saved, Needs) {
        const AttentionOptions masked = with_masks(numbers, saved[3], saved[4]);
        const Array in = saved[0].value().contiguous();
        Array dx = Array::empty(in.shape(), in.dtype());
        Array dq = part(dx, 0), dk = part(dx, 1), dv = part(dx, 2);
        const kernels::AttentionForward left{heads_of(saved[1].value(), 0, 1, heads), saved[2].value()};
        kernels::attention_grad(heads_of(dy.value(), 0, 1, heads), part(in, 0), part(in, 1), part(in, 2), left, masked,
                                dq, dk, dv);
        return Grads{dx};
      },
      {.definition = [numbers = numbers_of(options), heads](const std::vector<Tensor>& in, const Saved& saved) {
        const std::int64_t B = in[0].shape(0), T = in[0].shape(1), E = in[0].shape(2) / 3;
        const Tensor qkv = permute(reshape(in[0], {B, T, 3, heads, E / heads}), {2, 0, 3, 1, 4});
        const auto at = [&](std::int64_t i) { return reshape(slice(qkv, 0, i, i + 1), {B, heads, T, E / heads}); };
        const Tensor heads_apart = definition(at(0), at(1), at(2), with_masks(numbers, saved[3], saved[4]));
        return reshape(transpose(heads_apart, 1, 2), {B, T, E});
      }});
}

}  // namespace tandem
