// Rows are read three times while they are in the first cache: mean, variance, result. Gradients of w and b are summed
// over 32 rows in f32 and on in double, by thread, then added up in the order of the threads. See layer_norm.h.
#include <tandem/core/kernels/normalise/layer_norm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/normalise/parameters.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/reference/layer_norm.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::as_floats, detail::as_parameter;

constexpr std::int64_t kRowsInFloat = 32;

TANDEM_INLINE double row_sum(const float* x, std::int64_t n) { return detail::strip<detail::Sum>(x, n, 1, 0); }

/// scratch [2 n].
template <class E>
TANDEM_TARGETS __attribute__((flatten)) void forward_rows(const E* __restrict x, const float* __restrict w,
                                                          const float* __restrict b, E* __restrict y, float* mean,
                                                          float* inverse, float* __restrict scratch, std::int64_t rows,
                                                          std::int64_t n, double epsilon) {
  float* squares = scratch + n;
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float* in = as_floats(x, scratch, n);
    const float centre = mean[r] = static_cast<float>(row_sum(in, n) / static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i) squares[i] = (in[i] - centre) * (in[i] - centre);
    const double variance = row_sum(squares, n) / static_cast<double>(n);
    const float scale = inverse[r] = static_cast<float>(1 / std::sqrt(variance + epsilon));
    for (std::int64_t i = 0; i < n; ++i) y[i] = E((in[i] - centre) * scale * w[i] + b[i]);
  }
}

/// partial_w and partial_b [n] in float for these rows; scratch [2 n].
template <class E>
TANDEM_TARGETS __attribute__((flatten)) void backward_rows(const E* __restrict dy, const E* __restrict x,
                                                           const float* __restrict w, const float* mean,
                                                           const float* inverse, E* __restrict dx,
                                                           float* __restrict partial_w, float* __restrict partial_b,
                                                           float* __restrict scratch, std::int64_t rows,
                                                           std::int64_t n) {
  float* __restrict g = scratch, * __restrict gx = scratch + n;
  for (std::int64_t r = 0; r < rows; ++r, dy += n, x += n, dx += n) {
    const float centre = mean[r], scale = inverse[r];
    for (std::int64_t i = 0; i < n; ++i) {
      const float dy_i = static_cast<float>(dy[i]), normalised = (static_cast<float>(x[i]) - centre) * scale;
      g[i] = dy_i * w[i];
      partial_w[i] += dy_i * normalised;
      partial_b[i] += dy_i;
      gx[i] = g[i] * normalised;
    }
    const float total = static_cast<float>(row_sum(g, n) / static_cast<double>(n));
    const float along = static_cast<float>(row_sum(gx, n) / static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i)
      dx[i] = E(scale * (g[i] - total - (static_cast<float>(x[i]) - centre) * scale * along));
  }
}

Shape normalised_shape(const char* where, const Array& x, const Array& w, const Array& b, int dims) {
  require_floating(where, "x", x);
  if (dims < 1 || dims > x.rank())
    fail(where, fmt::format("dims is {}, must be from 1 to the rank of x", dims), "x " + to_string(x.shape()));
  const Shape shape(x.shape().span().last(static_cast<std::size_t>(dims)));
  for (const auto& [name_of, p] : {std::pair{"w", &w}, std::pair{"b", &b}}) {
    if (!p->defined()) continue;
    detail::require_parameter(where, name_of, *p, x.dtype());
    if (!(p->shape() == shape))
      fail(where, fmt::format("{} must be {}, the last dims of x", name_of, to_string(shape)),
           fmt::format("{} {}, x {}", name_of, to_string(p->shape()), to_string(x.shape())));
  }
  return shape;
}

/// The weights of rows of floats: p, or `otherwise` in each place.
Array or_constant(const Array& p, const Shape& shape, double otherwise) {
  return p.defined() ? as_parameter(p, DType::f32) : Array::full(shape, otherwise);
}

template <class E>
void forward(const Array& x, const Array& w, const Array& b, double epsilon, std::int64_t n, LayerNormForward& r) {
  const std::int64_t rows = x.size() / n;
  const Parts ranges = parallel_parts(rows, detail::row_grain(n));
  Array scratch = Array::empty({ranges.number, 2, n});
  const E* px = x.data<E>();
  const float *pw = w.data<float>(), *pb = b.data<float>();
  E* py = r.y.data<E>();
  float *mean = r.mean.data<float>(), *inverse = r.inverse_deviation.data<float>(), *all = scratch.data<float>();
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    forward_rows(px + begin * n, pw, pb, py + begin * n, mean + begin, inverse + begin, all + part * 2 * n, end - begin,
                 n, epsilon);
  });
}

/// dw and db are f32.
template <class E>
void backward(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse, std::int64_t n,
              LayerNormGrads& r) {
  const std::int64_t rows = x.size() / n;
  const Parts ranges = parallel_parts(rows, detail::row_grain(n));
  const std::int64_t parts = ranges.number;
  Array sums = Array::zeros({parts, 2, n}, DType::f64), scratch = Array::empty({parts, 4, n});
  const E *pdy = dy.data<E>(), *px = x.data<E>();
  const float *pw = w.data<float>(), *pm = mean.data<float>(), *pi = inverse.data<float>();
  E* pdx = r.dx.data<E>();
  float* all_scratch = scratch.data<float>();
  double* all_sums = sums.data<double>();
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    float* partial = all_scratch + part * 4 * n;  // of w and b, then two rows
    double* total = all_sums + part * 2 * n;
    for (std::int64_t row = begin; row < end; row += kRowsInFloat) {
      const std::int64_t count = std::min(kRowsInFloat, end - row);
      std::fill_n(partial, 2 * n, 0.0F);
      backward_rows(pdy + row * n, px + row * n, pw, pm + row, pi + row, pdx + row * n, partial, partial + n,
                    partial + 2 * n, count, n);
      for (std::int64_t i = 0; i < 2 * n; ++i) total[i] += static_cast<double>(partial[i]);
    }
  });
  float *pdw = r.dw.data<float>(), *pdb = r.db.data<float>();
  for (std::int64_t i = 0; i < n; ++i) {
    double sum_w = 0, sum_b = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      sum_w += all_sums[part * 2 * n + i];
      sum_b += all_sums[part * 2 * n + n + i];
    }
    pdw[i] = static_cast<float>(sum_w);
    pdb[i] = static_cast<float>(sum_b);
  }
}

}  // namespace

LayerNormForward layer_norm(const Array& x, const Array& w, const Array& b, int dims, double epsilon) {
  const profile::KernelScope profiled("layer_norm", x.dtype(), [&] { return profile::moves(x, x); });
  const Shape shape = normalised_shape("layer_norm", x, w, b, dims);
  detail::require_epsilon("layer_norm", epsilon);
  const std::int64_t n = shape.count(), rows = n == 0 ? 0 : x.size() / n;
  const DType wide = work_dtype(x.dtype());
  LayerNormForward r{Array::empty(x.shape(), x.dtype()), Array::empty({rows}, wide), Array::empty({rows}, wide)};
  if (rows == 0) return r;
  const Array in = x.contiguous();
  if (x.dtype() == DType::f64) {
    const Array scale = as_parameter(w, x.dtype()), shift = as_parameter(b, x.dtype());
    reference::layer_norm(in.data<double>(), data_or_null<double>(scale), data_or_null<double>(shift),
                          r.y.data<double>(), r.mean.data<double>(), r.inverse_deviation.data<double>(), rows, n,
                          epsilon);
    return r;
  }
  const Array scale = or_constant(w, shape, 1), shift = or_constant(b, shape, 0);
  visit_narrow(x.dtype(), [&]<class E>(E) { forward<E>(in, scale, shift, epsilon, n, r); });
  return r;
}

LayerNormGrads layer_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                               const Array& inverse_deviation, int dims) {
  const profile::KernelScope profiled("layer_norm_grad", x.dtype(), [&] { return profile::moves(dy, x, x); });
  const Shape shape = normalised_shape("layer_norm_grad", x, w, {}, dims);
  require_dtype("layer_norm_grad", "dy", dy, x.dtype());
  if (dy.shape() != x.shape())
    fail("layer_norm_grad", fmt::format("dy is {}, must be {}", to_string(dy.shape()), to_string(x.shape())));
  const std::int64_t n = shape.count(), rows = n == 0 ? 0 : x.size() / n;
  const DType wide = work_dtype(x.dtype()), of_weights = w.defined() ? w.dtype() : x.dtype();
  LayerNormGrads r{Array::empty(x.shape(), x.dtype()), Array::zeros(shape, wide), Array::zeros(shape, wide)};
  const Array in = x.contiguous(), grad = dy.contiguous();
  if (rows > 0 && x.dtype() == DType::f64) {
    const Array scale = as_parameter(w, x.dtype());
    reference::layer_norm_grad(grad.data<double>(), in.data<double>(), data_or_null<double>(scale), mean.data<double>(),
                               inverse_deviation.data<double>(), r.dx.data<double>(), r.dw.data<double>(),
                               r.db.data<double>(), rows, n);
  } else if (rows > 0) {
    const Array scale = or_constant(w, shape, 1);
    visit_narrow(x.dtype(), [&]<class E>(E) { backward<E>(grad, in, scale, mean, inverse_deviation, n, r); });
  }
  return {r.dx, r.dw.to(of_weights), r.db.to(of_weights)};
}

}  // namespace tandem::kernels
