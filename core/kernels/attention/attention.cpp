// f32: 64 queries of one head at a time against all keys they may see; a thread holds the scores of its block alone, so
// memory grows with S, not with T S. Backward takes a head at a time, because its blocks add up dk and dv.
// f64 through the naive twin. See attention.h.
#include <tandem/core/kernels/attention/attention.h>

#include <algorithm>

#include <tandem/core/kernels/attention/attention_rows.h>
#include <tandem/core/kernels/reference/attention.h>
#include <tandem/core/onednn/gemm.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kBlock = 64;

/// [B, h, T, d] whose rows are whole and apart.
Array readable(const Array& x) {
  const bool whole = x.stride(3) == 1 && (x.shape(2) == 1 || x.stride(2) >= x.shape(3));
  return whole ? x : x.contiguous();
}

/// Where head `head` of all B h begins, and how far its rows are apart.
struct HeadRows {
  const float* data;
  std::int64_t step;
};
HeadRows rows_of(const Array& x, std::int64_t head) {
  return {x.data<float>() + head / x.shape(1) * x.stride(0) + head % x.shape(1) * x.stride(1),
          std::max(x.stride(2), x.shape(3))};
}
float* writable(const Array& x, std::int64_t head) { return const_cast<float*>(rows_of(x, head).data); }

struct Problem {
  Problem(const Array& q_in, const Array& k_in, const Array& v_in, const AttentionOptions& given)
      : options(given),
        q(readable(q_in)),
        k(readable(k_in)),
        v(readable(v_in)),
        heads(q.shape(0) * q.shape(1)),
        T(q.shape(2)),
        S(k.shape(2)),
        d(q.shape(3)),
        e(v.shape(3)),
        scale(attention_scale(q, given)),
        mask(detail::expanded_mask(given, {q.shape(0), q.shape(1), T, S}, q.dtype())),
        hidden(detail::hidden_bias(given, q.dtype())) {}

  /// How many keys, from the first, the queries below `end` see.
  std::int64_t seen(std::int64_t end) const {
    return options.causal ? std::min(S, saturating_add(options.first_query, end)) : S;
  }
  detail::RowMask row_mask(std::int64_t head, std::int64_t query) const {
    const std::int64_t b = head / q.shape(1), h = head % q.shape(1);
    detail::RowMask row{.seen = seen(query + 1)};
    if (mask.defined())
      row.mask = mask.data<float>() + b * mask.stride(0) + h * mask.stride(1) + query * mask.stride(2);
    if (hidden.defined()) row.hidden = hidden.data<float>() + b * S;
    return row;
  }
  /// scores [count, n] of queries from `begin`: q k^T.
  void scores(std::int64_t head, std::int64_t begin, std::int64_t count, std::int64_t n, float* s) const {
    const HeadRows a = rows_of(q, head), b = rows_of(k, head);
    onednn::gemm(false, true, count, n, d, a.data + begin * a.step, a.step, b.data, b.step, 0, s, n);
  }
  /// Forward works on blocks of queries side by side, backward on whole heads.
  std::int64_t blocks() const { return (T + kBlock - 1) / kBlock; }

  const AttentionOptions& options;
  Array q, k, v;
  std::int64_t heads, T, S, d, e;
  double scale;
  Array mask, hidden;
};

void forward_block(const Problem& p, std::int64_t head, std::int64_t begin, float* s, Array& keep, float* y,
                   std::int64_t y_step, float* rows) {
  const std::int64_t count = std::min(kBlock, p.T - begin), n = p.seen(begin + count);
  p.scores(head, begin, count, n, s);
  for (std::int64_t i = 0; i < count; ++i) {
    detail::softmax_row(s + i * n, n, static_cast<float>(p.scale), p.row_mask(head, begin + i), rows + 2 * i);
    if (p.options.dropout > 0) {
      detail::draw_keep(p.options, head, begin + i, keep);
      detail::scale_row(s + i * n, keep.data<float>(), n);
    }
  }
  const HeadRows values = rows_of(p.v, head);
  onednn::gemm(false, false, count, p.e, n, s, n, values.data, values.step, 0, y + begin * y_step, y_step);
}

/// Everything of one head; s and ds are scratch for a block of scores each.
void backward_head(const Problem& p, std::int64_t head, const Array& dy, const AttentionForward& forward, float* s,
                   float* ds, Array& keep, Array& dq, Array& dk, Array& dv) {
  const HeadRows q = rows_of(p.q, head), k = rows_of(p.k, head), v = rows_of(p.v, head);
  const HeadRows g = rows_of(dy, head), y = rows_of(forward.y, head);
  float *to_q = writable(dq, head), *to_k = writable(dk, head), *to_v = writable(dv, head);
  const std::int64_t q_step = rows_of(dq, head).step, k_step = rows_of(dk, head).step, v_step = rows_of(dv, head).step;
  for (std::int64_t j = 0; j < p.S; ++j) {
    std::fill_n(to_k + j * k_step, p.d, 0.0F);
    std::fill_n(to_v + j * v_step, p.e, 0.0F);
  }
  const float* rows = forward.rows.data<float>() + 2 * head * p.T;
  for (std::int64_t begin = 0; begin < p.T; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, p.T - begin), n = p.seen(begin + count);
    p.scores(head, begin, count, n, s);
    onednn::gemm(false, true, count, n, p.e, g.data + begin * g.step, g.step, v.data, v.step, 0, ds, n);
    const auto scale = static_cast<float>(p.scale);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = begin + i;
      detail::probability_row(s + i * n, n, scale, p.row_mask(head, row), rows + 2 * row);
      const float along = detail::dot_row(g.data + row * g.step, y.data + row * y.step, p.e);
      if (p.options.dropout > 0) {
        detail::draw_keep(p.options, head, row, keep);
        detail::scale_row(ds + i * n, keep.data<float>(), n);
      }
      detail::score_grad_row(s + i * n, ds + i * n, n, scale, along);
      if (p.options.dropout > 0) detail::scale_row(s + i * n, keep.data<float>(), n);
    }
    onednn::gemm(true, false, n, p.e, count, s, n, g.data + begin * g.step, g.step, 1, to_v, v_step);
    onednn::gemm(false, false, count, p.d, n, ds, n, k.data, k.step, 0, to_q + begin * q_step, q_step);
    onednn::gemm(true, false, n, p.d, count, ds, n, q.data + begin * q.step, q.step, 1, to_k, k_step);
  }
}

}  // namespace

namespace {

/// `products` of all queries with all keys: y takes two, its gradients five. Halved where no query sees later keys.
profile::Work attention_work(const Array& q, const Array& k, const Array& v, double products, bool causal) {
  if (!q.defined() || !k.defined() || q.rank() < 1 || k.rank() < 2) return {};
  const double terms = 2 * static_cast<double>(q.size()) * static_cast<double>(k.shape(-2));
  return {products * terms * (causal ? 0.5 : 1), profile::bytes(q, k, v, q)};
}

}  // namespace

AttentionForward attention(const Array& q, const Array& k, const Array& v, const AttentionOptions& options) {
  const profile::KernelScope profiled("attention", q.dtype(),
                                      [&] { return attention_work(q, k, v, 2, options.causal); });
  detail::check_attention(q, k, v, options);
  const Problem p(q, k, v, options);
  AttentionForward r{Array::empty({q.shape(0), p.T, q.shape(1), p.e}, q.dtype()).transpose(1, 2),
                     Array::empty({q.shape(0), q.shape(1), p.T, 2}, q.dtype())};
  if (q.dtype() == DType::f64) {
    Array y = Array::empty(r.y.shape(), DType::f64);
    const Array a = q.contiguous(), b = k.contiguous(), c = v.contiguous();
    const Array bias = attention_bias(q, k, options), keep = attention_keep(q, k, options);
    reference::attention<double>({p.heads, p.T, p.S, p.d, p.e}, a.data<double>(), b.data<double>(), c.data<double>(),
                                 bias.data<double>(), data_or_null<double>(keep), p.scale, y.data<double>(),
                                 r.rows.data<double>());
    r.y.copy_from(y);
    return r;
  }
  const std::int64_t work = p.heads * p.blocks(), rows = std::min(kBlock, p.T);
  const Parts parts = parallel_parts(work, 1);
  const Array scratch = Array::empty({parts.number, rows, p.S});
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    Array keep = options.dropout > 0 ? Array::empty({p.S}) : Array();
    float* s = scratch.select(0, part).data<float>();
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i / p.blocks(), first = i % p.blocks() * kBlock;
      forward_block(p, head, first, s, keep, writable(r.y, head), rows_of(r.y, head).step,
                    r.rows.data<float>() + 2 * (head * p.T + first));
    }
  });
  return r;
}

void attention_grad(const Array& dy, const Array& q, const Array& k, const Array& v, const AttentionForward& forward,
                    const AttentionOptions& options, Array& dq, Array& dk, Array& dv) {
  const profile::KernelScope profiled("attention_grad", q.dtype(),
                                      [&] { return attention_work(q, k, v, 5, options.causal); });
  const Problem p(q, k, v, options);
  if (q.dtype() == DType::f64) {
    const Array a = q.contiguous(), b = k.contiguous(), c = v.contiguous(), g = dy.contiguous();
    const Array bias = attention_bias(q, k, options), keep = attention_keep(q, k, options);
    Array to_q = Array::zeros(q.shape(), DType::f64), to_k = Array::zeros(k.shape(), DType::f64),
          to_v = Array::zeros(v.shape(), DType::f64);
    reference::attention_grad<double>({p.heads, p.T, p.S, p.d, p.e}, g.data<double>(), a.data<double>(),
                                      b.data<double>(), c.data<double>(), bias.data<double>(),
                                      data_or_null<double>(keep), p.scale, to_q.data<double>(), to_k.data<double>(),
                                      to_v.data<double>());
    dq.copy_from(to_q), dk.copy_from(to_k), dv.copy_from(to_v);
    return;
  }
  const Array g = readable(dy);
  const std::int64_t rows = std::min(kBlock, p.T);
  const Parts parts = parallel_parts(p.heads, 1);
  const Array scratch = Array::empty({parts.number, 2, rows * p.S});
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    Array keep = options.dropout > 0 ? Array::empty({p.S}) : Array();
    float* s = const_cast<float*>(scratch.data<float>()) + part * 2 * rows * p.S;
    for (std::int64_t head = begin; head < end; ++head)
      backward_head(p, head, g, forward, s, s + rows * p.S, keep, dq, dk, dv);
  });
  dq.mark_changed(), dk.mark_changed(), dv.mark_changed();
}

}  // namespace tandem::kernels
