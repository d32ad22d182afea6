// Rows are read three times while they are in the first cache: mean, variance, result. Gradients of w and b are summed
// over 32 rows in f32 and on in double, by thread, then added up in the order of the threads. See layer_norm.h.
#include <tandem/core/kernels/normalise/layer_norm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/reference/layer_norm.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kRowsInFloat = 32;

TANDEM_INLINE double row_sum(const float* x, std::int64_t n) { return detail::strip<detail::Sum>(x, n, 1, 0); }

TANDEM_TARGETS __attribute__((flatten)) void forward_rows(const float* __restrict x, const float* __restrict w,
                                                          const float* __restrict b, float* __restrict y, float* mean,
                                                          float* inverse, std::int64_t rows, std::int64_t n,
                                                          double epsilon) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float centre = mean[r] = static_cast<float>(row_sum(x, n) / static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - centre) * (x[i] - centre);
    const double variance = row_sum(y, n) / static_cast<double>(n);
    const float scale = inverse[r] = static_cast<float>(1 / std::sqrt(variance + epsilon));
    for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - centre) * scale * w[i] + b[i];
  }
}

/// partial_w and partial_b [n] in float for these rows; g and gx are scratch rows.
TANDEM_TARGETS __attribute__((flatten)) void backward_rows(const float* __restrict dy, const float* __restrict x,
                                                           const float* __restrict w, const float* mean,
                                                           const float* inverse, float* __restrict dx,
                                                           float* __restrict partial_w, float* __restrict partial_b,
                                                           float* __restrict gx, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, x += n, dx += n) {
    const float centre = mean[r], scale = inverse[r];
    for (std::int64_t i = 0; i < n; ++i) {
      const float normalised = (x[i] - centre) * scale, g = dy[i] * w[i];
      partial_w[i] += dy[i] * normalised;
      partial_b[i] += dy[i];
      dx[i] = g;
      gx[i] = g * normalised;
    }
    const float total = static_cast<float>(row_sum(dx, n) / static_cast<double>(n));
    const float along = static_cast<float>(row_sum(gx, n) / static_cast<double>(n));
    for (std::int64_t i = 0; i < n; ++i) dx[i] = scale * (dx[i] - total - (x[i] - centre) * scale * along);
  }
}

Shape normalised_shape(const char* where, const Array& x, const Array& w, const Array& b, int dims) {
  require_floating(where, "x", x);
  if (dims < 1 || dims > x.rank())
    fail(where, fmt::format("dims is {}, must be from 1 to the rank of x", dims), "x " + to_string(x.shape()));
  const Shape shape(x.shape().span().last(static_cast<std::size_t>(dims)));
  for (const auto& [name_of, p] : {std::pair{"w", &w}, std::pair{"b", &b}}) {
    if (!p->defined()) continue;
    require_dtype(where, name_of, *p, x.dtype() == DType::bf16 && p->dtype() == DType::f32 ? DType::f32 : x.dtype());
    if (!(p->shape() == shape))
      fail(where, fmt::format("{} must be {}, the last dims of x", name_of, to_string(shape)),
           fmt::format("{} {}, x {}", name_of, to_string(p->shape()), to_string(x.shape())));
  }
  return shape;
}

Array f32(const Array& x) { return x.defined() ? x.to(DType::f32) : x; }
Array in_order(const Array& x) { return x.defined() ? x.contiguous() : x; }

}  // namespace

LayerNormForward layer_norm(const Array& x, const Array& w, const Array& b, int dims, double epsilon) {
  const profile::KernelScope profiled("layer_norm", x.dtype(), [&] { return profile::moves(x, x); });
  const Shape shape = normalised_shape("layer_norm", x, w, b, dims);
  if (x.dtype() == DType::bf16) {
    LayerNormForward wide = layer_norm(f32(x), f32(w), f32(b), dims, epsilon);
    return {wide.y.to(DType::bf16), wide.mean, wide.inverse_deviation};
  }
  const std::int64_t n = shape.count(), rows = n == 0 ? 0 : x.size() / n;
  LayerNormForward r{Array::empty(x.shape(), x.dtype()), Array::empty({rows}, x.dtype()),
                     Array::empty({rows}, x.dtype())};
  if (rows == 0) return r;
  const Array in = x.contiguous();
  if (x.dtype() == DType::f64) {
    const Array scale = in_order(w), shift = in_order(b);
    reference::layer_norm(in.data<double>(), data_or_null<double>(scale), data_or_null<double>(shift),
                          r.y.data<double>(), r.mean.data<double>(), r.inverse_deviation.data<double>(), rows, n,
                          epsilon);
    return r;
  }
  const Array scale = w.defined() ? w.contiguous() : Array::full(shape, 1);
  const Array shift = b.defined() ? b.contiguous() : Array::zeros(shape);
  const float *px = in.data<float>(), *pw = scale.data<float>(), *pb = shift.data<float>();
  float *py = r.y.data<float>(), *mean = r.mean.data<float>(), *inverse = r.inverse_deviation.data<float>();
  parallel_for(rows, detail::row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    forward_rows(px + begin * n, pw, pb, py + begin * n, mean + begin, inverse + begin, end - begin, n, epsilon);
  });
  return r;
}

LayerNormGrads layer_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                               const Array& inverse_deviation, int dims) {
  const profile::KernelScope profiled("layer_norm_grad", x.dtype(), [&] { return profile::moves(dy, x, x); });
  const Shape shape = normalised_shape("layer_norm_grad", x, w, {}, dims);
  require_dtype("layer_norm_grad", "dy", dy, x.dtype());
  if (dy.shape() != x.shape())
    fail("layer_norm_grad", fmt::format("dy is {}, must be {}", to_string(dy.shape()), to_string(x.shape())));
  if (x.dtype() == DType::bf16) {
    LayerNormGrads wide = layer_norm_grad(f32(dy), f32(x), f32(w), mean, inverse_deviation, dims);
    const DType of_weights = w.defined() ? w.dtype() : DType::bf16;
    return {wide.dx.to(DType::bf16), wide.dw.to(of_weights), wide.db.to(of_weights)};
  }
  const std::int64_t n = shape.count(), rows = n == 0 ? 0 : x.size() / n;
  const DType dtype = x.dtype();
  LayerNormGrads r{Array::empty(x.shape(), dtype), Array::zeros(shape, dtype), Array::zeros(shape, dtype)};
  if (rows == 0) return r;
  const Array in = x.contiguous(), grad = dy.contiguous();
  if (dtype == DType::f64) {
    const Array scale = in_order(w);
    reference::layer_norm_grad(grad.data<double>(), in.data<double>(), data_or_null<double>(scale), mean.data<double>(),
                               inverse_deviation.data<double>(), r.dx.data<double>(), r.dw.data<double>(),
                               r.db.data<double>(), rows, n);
    return r;
  }
  const Array scale = w.defined() ? w.contiguous() : Array::full(shape, 1);
  const Parts ranges = parallel_parts(rows, detail::row_grain(n));
  const std::int64_t parts = ranges.number;
  Array sums = Array::zeros({parts, 2, n}, DType::f64), scratch = Array::empty({parts, 3, n});
  const float *pdy = grad.data<float>(), *px = in.data<float>(), *pw = scale.data<float>();
  const float *pm = mean.data<float>(), *pi = inverse_deviation.data<float>();
  float *pdx = r.dx.data<float>(), *all_scratch = scratch.data<float>();
  double* all_sums = sums.data<double>();
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    float* partial = all_scratch + part * 3 * n;  // w, b, and a row of g times xhat
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
  return r;
}

}  // namespace tandem::kernels
