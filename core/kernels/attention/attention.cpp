// 64 queries of one head at a time against all keys they may see; a thread holds the scores of its block alone, so
// memory grows with S, not with T S. Backward takes a head at a time, because its blocks add up dk and dv. Computed in
// f32: a head of bf16 or f16 is a block of floats while it is worked on. f64 through the naive twin. See attention.h.
#include <tandem/core/kernels/attention/attention.h>

#include <algorithm>

#include <tandem/core/kernels/attention/attention_rows.h>
#include <tandem/core/kernels/attention/heads.h>
#include <tandem/core/kernels/reference/attention.h>
#include <tandem/core/onednn/gemm.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::HeadReader, detail::HeadRows, detail::HeadWriter;

constexpr std::int64_t kBlock = 64;

struct Problem {
  Problem(const Array& q_in, const Array& k_in, const Array& v_in, const AttentionOptions& given)
      : options(given),
        q(detail::readable_heads(q_in)),
        k(detail::readable_heads(k_in)),
        v(detail::readable_heads(v_in)),
        heads(q.shape(0) * q.shape(1)),
        T(q.shape(2)),
        S(k.shape(2)),
        d(q.shape(3)),
        e(v.shape(3)),
        scale(attention_scale(q, given)),
        mask(detail::expanded_mask(given, {q.shape(0), q.shape(1), T, S}, work_dtype(q.dtype()))),
        hidden(detail::hidden_bias(given, work_dtype(q.dtype()))) {}

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
  /// Forward works on blocks of queries side by side, backward on whole heads.
  std::int64_t blocks() const { return (T + kBlock - 1) / kBlock; }

  const AttentionOptions& options;
  Array q, k, v;
  std::int64_t heads, T, S, d, e;
  double scale;
  Array mask, hidden;
};

/// s [count, n] = a b^T, rows of d.
void row_products(std::int64_t count, std::int64_t n, std::int64_t d, HeadRows<const float> a, HeadRows<const float> b,
                  float* s) {
  onednn::gemm(false, true, count, n, d, a.data, a.step, b.data, b.step, 0, s, n);
}

/// What one thread works with: scores of a block, dropout's factors, heads as floats.
struct Forward {
  Forward(const Problem& problem, Array& y)
      : p(problem), q(p.q), k(p.k), v(p.v), to_y(y), keep(p.options.dropout > 0 ? Array::empty({p.S}) : Array()) {}

  void block(std::int64_t head, std::int64_t begin, float* s, float* rows) {
    const std::int64_t count = std::min(kBlock, p.T - begin), n = p.seen(begin + count);
    row_products(count, n, p.d, q.read(head).from(begin), k.read(head), s);
    for (std::int64_t i = 0; i < count; ++i) {
      detail::softmax_row(s + i * n, n, static_cast<float>(p.scale), p.row_mask(head, begin + i), rows + 2 * i);
      if (p.options.dropout > 0) {
        detail::draw_keep(p.options, head, begin + i, keep);
        detail::scale_row(s + i * n, keep.data<float>(), n);
      }
    }
    const HeadRows<const float> values = v.read(head);
    const HeadRows<float> y = to_y.write(head).from(begin);
    onednn::gemm(false, false, count, p.e, n, s, n, values.data, values.step, 0, y.data, y.step);
    to_y.finish(begin, count);
  }

  const Problem& p;
  HeadReader q, k, v;
  HeadWriter to_y;
  Array keep;
};

struct Backward {
  Backward(const Problem& problem, const Array& dy, const Array& y_of_forward, Array& dq, Array& dk, Array& dv)
      : p(problem),
        q(p.q),
        k(p.k),
        v(p.v),
        g(dy),
        y(y_of_forward),
        to_q(dq),
        to_k(dk),
        to_v(dv),
        keep(p.options.dropout > 0 ? Array::empty({p.S}) : Array()) {}

  /// Everything of one head; s and ds are scratch for a block of scores each, rows what forward left.
  void head(std::int64_t head, const float* rows, float* s, float* ds) {
    const HeadRows<float> dq = to_q.write(head), dk = to_k.write(head), dv = to_v.write(head);
    for (std::int64_t j = 0; j < p.S; ++j) {
      std::fill_n(dk.from(j).data, p.d, 0.0F);
      std::fill_n(dv.from(j).data, p.e, 0.0F);
    }
    for (std::int64_t begin = 0; begin < p.T; begin += kBlock) block(head, begin, rows + 2 * begin, s, ds, dq, dk, dv);
    to_q.finish(0, p.T);
    to_k.finish(0, p.S);
    to_v.finish(0, p.S);
  }

  void block(std::int64_t head, std::int64_t begin, const float* rows, float* s, float* ds, HeadRows<float> dq,
             HeadRows<float> dk, HeadRows<float> dv) {
    const HeadRows<const float> queries = q.read(head).from(begin), keys = k.read(head),
                                grads = g.read(head).from(begin), outputs = y.read(head).from(begin);
    const std::int64_t count = std::min(kBlock, p.T - begin), n = p.seen(begin + count);
    row_products(count, n, p.d, queries, keys, s);
    row_products(count, n, p.e, grads, v.read(head), ds);
    const auto scale = static_cast<float>(p.scale);
    for (std::int64_t i = 0; i < count; ++i) {
      detail::probability_row(s + i * n, n, scale, p.row_mask(head, begin + i), rows + 2 * i);
      const float along = detail::dot_row(grads.from(i).data, outputs.from(i).data, p.e);
      if (p.options.dropout > 0) {
        detail::draw_keep(p.options, head, begin + i, keep);
        detail::scale_row(ds + i * n, keep.data<float>(), n);
      }
      detail::score_grad_row(s + i * n, ds + i * n, n, scale, along);
      if (p.options.dropout > 0) detail::scale_row(s + i * n, keep.data<float>(), n);
    }
    onednn::gemm(true, false, n, p.e, count, s, n, grads.data, grads.step, 1, dv.data, dv.step);
    onednn::gemm(false, false, count, p.d, n, ds, n, keys.data, keys.step, 0, dq.from(begin).data, dq.step);
    onednn::gemm(true, false, n, p.d, count, ds, n, queries.data, queries.step, 1, dk.data, dk.step);
  }

  const Problem& p;
  HeadReader q, k, v, g, y;
  HeadWriter to_q, to_k, to_v;
  Array keep;
};

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
                     Array::empty({q.shape(0), q.shape(1), p.T, 2}, work_dtype(q.dtype()))};
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
    Forward forward(p, r.y);
    Array scores = scratch.select(0, part);
    float* s = scores.data<float>();
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i / p.blocks(), first = i % p.blocks() * kBlock;
      forward.block(head, first, s, r.rows.data<float>() + 2 * (head * p.T + first));
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
  const Array g = detail::readable_heads(dy), y = detail::readable_heads(forward.y);
  const std::int64_t rows = std::min(kBlock, p.T);
  const Parts parts = parallel_parts(p.heads, 1);
  const Array scratch = Array::empty({parts.number, 2, rows * p.S});
  const float* rows_of_all = forward.rows.data<float>();
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    Backward backward(p, g, y, dq, dk, dv);
    float* s = const_cast<float*>(scratch.data<float>()) + part * 2 * rows * p.S;
    for (std::int64_t head = begin; head < end; ++head)
      backward.head(head, rows_of_all + 2 * head * p.T, s, s + rows * p.S);
  });
  dq.mark_changed(), dk.mark_changed(), dv.mark_changed();
}

}  // namespace tandem::kernels
