// Group normalisation on memory read as rows of C channels: an image is H W rows, images go to threads. Sums are taken
// by channel with the loops of batch normalisation and joined to groups in double, so neither the number of threads nor
// a large mean changes the result. f64 goes through reference/group_norm.h.
#include <tandem/core/kernels/normalise/group_norm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/strided_loop.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/normalise/batch_norm_rows.h>
#include <tandem/core/kernels/normalise/parameters.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reference/group_norm.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::as_images, detail::as_parameter, detail::empty_images, detail::require_parameter;

void check_x(const char* where, const Array& x) {
  require_floating(where, "x", x);
  if (x.rank() < 2 || x.size() == 0)
    fail(where, fmt::format("x is {}, must be [N, C, ...] and not empty", x.shape().to_string()));
}

void check_shape(const char* where, const Array& x, const char* name, const Array& p, const Shape& shape) {
  if (p.shape() != shape)
    fail(where, fmt::format("{} is {}, must be {}", name, p.shape().to_string(), shape.to_string()),
         fmt::format("x {}", x.shape().to_string()));
}

/// Of the dtype of x, or f32 beside bf16 and f16.
void check_parameter(const char* where, const Array& x, const char* name, const Array& p, const Shape& shape) {
  require_parameter(where, name, p, x.dtype());
  check_shape(where, x, name, p, shape);
}

/// f(n) for images, on threads.
template <class F>
void each_image(std::int64_t N, std::int64_t numbers, F&& f) {
  parallel_for(N, std::max<std::int64_t>(1, 16384 / numbers), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) f(n);
  });
}

/// dx = a dy - b - (x - mean) s, all by channel.
template <class E>
TANDEM_TARGETS void apply_grad(const E* dy, const E* x, const float* mean, const float* a, const float* b,
                               const float* s, E* dx, std::int64_t rows, std::int64_t C) {
  for (std::int64_t r = 0; r < rows; ++r, dy += C, x += C, dx += C) {
    TANDEM_INDEPENDENT
    for (std::int64_t c = 0; c < C; ++c)
      dx[c] = E(a[c] * static_cast<float>(dy[c]) - b[c] - (static_cast<float>(x[c]) - mean[c]) * s[c]);
  }
}

template <class E>
void forward(const Array& x, std::int64_t groups, const Array& w, const Array& b, double epsilon,
             GroupNormForward& result) {
  const std::int64_t N = x.shape(0), C = x.shape(1), rows = x.size() / (N * C), width = C / groups;
  const std::int64_t block = block_rows(C);
  const E* px = x.data<E>();
  const float *pw = w.data<float>(), *pb = b.data<float>();
  E* py = result.y.data<E>();
  float *means = result.mean.data<float>(), *inverses = result.inverse_deviation.data<float>();
  each_image(N, rows * C, [&](std::int64_t n) {
    const auto size = static_cast<std::size_t>(C);
    std::vector<double> found(2 * size), other(rows > block ? 2 * size : 0);
    std::vector<float> mean(size), scale(size);
    const E* image = px + n * rows * C;
    double *p = found.data(), *q = other.data();
    block_moments(image, std::min(block, rows), C, p, p + C);
    for (std::int64_t r = block; r < rows; r += block) {
      const std::int64_t count = std::min(block, rows - r);
      block_moments(image + r * C, count, C, q, q + C);
      merge_moments(static_cast<double>(r), p, p + C, static_cast<double>(count), q, q + C, C);
    }
    for (std::int64_t g = 0; g < groups; ++g) {
      Moments all;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) all.merge(static_cast<double>(rows), p[c], p[C + c]);
      const auto centre = static_cast<float>(all.mean);
      const auto inverse = static_cast<float>(1 / std::sqrt(all.squares / all.count + epsilon));
      means[n * groups + g] = centre;
      inverses[n * groups + g] = inverse;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        mean[static_cast<std::size_t>(c)] = centre;
        scale[static_cast<std::size_t>(c)] = pw[c] * inverse;
      }
    }
    apply_rows(image, static_cast<const E*>(nullptr), mean.data(), scale.data(), pb, false, py + n * rows * C, rows, C);
  });
}

/// dw and db are f32.
template <class E>
void backward(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse_deviation,
              GroupNormGrads& grads) {
  const std::int64_t N = x.shape(0), C = x.shape(1), rows = x.size() / (N * C), groups = mean.shape(1);
  const std::int64_t width = C / groups, block = block_rows(C);
  const auto size = static_cast<std::size_t>(C);
  const E *pdy = dy.data<E>(), *px = x.data<E>();
  const float *pw = w.data<float>(), *means = mean.data<float>(), *inverses = inverse_deviation.data<float>();
  E* pdx = grads.dx.data<E>();
  std::vector<double> db(static_cast<std::size_t>(N) * size), dw(db.size());  // of each image
  each_image(N, rows * C, [&](std::int64_t n) {
    double *db_n = db.data() + n * C, *dw_n = dw.data() + n * C;
    const std::int64_t image = n * rows * C;
    std::vector<float> m(size), a(size), b(size), s(size);
    for (std::size_t c = 0; c < size; ++c) m[c] = means[n * groups + static_cast<std::int64_t>(c) / width];
    for (std::int64_t r = 0; r < rows; r += block) {
      const std::int64_t i = image + r * C;
      reduce_rows(pdy + i, px + i, ReluMask<E>{}, m.data(), static_cast<E*>(nullptr), std::min(block, rows - r), C,
                  db_n, dw_n);
    }
    const auto values = static_cast<double>(rows * width);
    for (std::int64_t g = 0; g < groups; ++g) {
      const auto inverse = static_cast<double>(inverses[n * groups + g]);
      double sum = 0, slope = 0;
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        dw_n[c] *= inverse;
        sum += static_cast<double>(pw[c]) * db_n[c];
        slope += static_cast<double>(pw[c]) * dw_n[c];
      }
      const auto shift_of_all = static_cast<float>(inverse * sum / values);
      const auto slope_of_all = static_cast<float>(inverse * inverse * slope / values);
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        const auto k = static_cast<std::size_t>(c);
        a[k] = static_cast<float>(inverse * static_cast<double>(pw[c]));
        b[k] = shift_of_all;
        s[k] = slope_of_all;
      }
    }
    apply_grad(pdy + image, px + image, m.data(), a.data(), b.data(), s.data(), pdx + image, rows, C);
  });
  for (std::int64_t c = 0; c < C; ++c) {
    double sum = 0, slope = 0;
    for (std::int64_t n = 0; n < N; ++n) sum += db[static_cast<std::size_t>(n * C + c)];
    for (std::int64_t n = 0; n < N; ++n) slope += dw[static_cast<std::size_t>(n * C + c)];
    grads.db.data<float>()[c] = static_cast<float>(sum);
    grads.dw.data<float>()[c] = static_cast<float>(slope);
  }
}

}  // namespace

GroupNormForward group_norm(const Array& x, std::int64_t groups, const Array& w, const Array& b, double epsilon) {
  const profile::KernelScope profiled("group_norm", x.dtype(), [&] { return profile::moves(x, x); });
  const char* where = "group_norm";
  check_x(where, x);
  if (groups < 1 || x.shape(1) % groups != 0)
    fail(where, fmt::format("{} groups do not divide {} channels", groups, x.shape(1)),
         fmt::format("x {}", x.shape().to_string()));
  detail::require_epsilon(where, epsilon);
  check_parameter(where, x, "w", w, {x.shape(1)});
  check_parameter(where, x, "b", b, {x.shape(1)});
  const Array source = as_images(x);
  const Shape statistics{x.shape(0), groups};
  const DType wide = work_dtype(x.dtype());
  GroupNormForward result{empty_images(source.shape(), x.dtype()), Array::empty(statistics, wide),
                          Array::empty(statistics, wide)};
  const Array scale = as_parameter(w, x.dtype()), shift = as_parameter(b, x.dtype());
  if (x.dtype() == DType::f64) {
    reference::group_norm<double>(source, groups, scale, shift, epsilon, result);
  } else {
    visit_narrow(x.dtype(), [&]<class E>(E) { forward<E>(source, groups, scale, shift, epsilon, result); });
  }
  result.y = result.y.reshape(x.shape());
  return result;
}

GroupNormGrads group_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                               const Array& inverse_deviation) {
  const profile::KernelScope profiled("group_norm_grad", x.dtype(), [&] { return profile::moves(dy, x, x); });
  const char* where = "group_norm_grad";
  check_x(where, x);
  require_dtype(where, "dy", dy, x.dtype());
  check_shape(where, x, "dy", dy, x.shape());
  check_parameter(where, x, "w", w, {x.shape(1)});
  require_defined(where, "mean", mean);
  if (mean.rank() != 2 || mean.shape(1) < 1 || x.shape(1) % mean.shape(1) != 0)
    fail(where, fmt::format("mean is {}, must be [N, groups]", mean.shape().to_string()));
  const Shape statistics{x.shape(0), mean.shape(1)};
  const DType wide = work_dtype(x.dtype());
  for (const auto& [name_of, p] : {std::pair{"mean", &mean}, std::pair{"inverse_deviation", &inverse_deviation}}) {
    require_dtype(where, name_of, *p, wide);
    check_shape(where, x, name_of, *p, statistics);
  }
  const Array gradient = as_images(dy), source = as_images(x), weight = as_parameter(w, x.dtype());
  const Array means = mean.contiguous(), inverses = inverse_deviation.contiguous();
  GroupNormGrads result{empty_images(source.shape(), x.dtype()), Array::empty({x.shape(1)}, wide),
                        Array::empty({x.shape(1)}, wide)};
  if (x.dtype() == DType::f64) {
    reference::group_norm_grad<double>(gradient, source, weight, means, inverses, result);
  } else {
    visit_narrow(x.dtype(), [&]<class E>(E) { backward<E>(gradient, source, weight, means, inverses, result); });
  }
  return {result.dx.reshape(x.shape()), result.dw.to(w.dtype()), result.db.to(w.dtype())};
}

}  // namespace tandem::kernels
