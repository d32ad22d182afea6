// Group normalisation on memory read as rows of C channels: an image is H W rows, images go to threads. Sums are taken
// by channel with the loops of batch normalisation and joined to groups in double, so neither the number of threads nor
// a large mean changes the result. f32 here; f64 through reference/group_norm.h, bf16 through f32.
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
#include <tandem/core/kernels/reference/group_norm.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::as_images, detail::empty_images;

void check_x(const char* where, const Array& x) {
  require_floating(where, "x", x);
  if (x.rank() < 2 || x.size() == 0)
    fail(where, fmt::format("x is {}, must be [N, C, ...] and not empty", x.shape().to_string()));
}

void check(const char* where, const Array& x, const char* name, const Array& p, const Shape& shape, DType dtype) {
  require_dtype(where, name, p, dtype);
  if (p.shape() != shape)
    fail(where, fmt::format("{} is {}, must be {}", name, p.shape().to_string(), shape.to_string()),
         fmt::format("x {}", x.shape().to_string()));
}

/// f(n) for images, on threads.
template <class F>
void each_image(std::int64_t N, std::int64_t numbers, F&& f) {
  parallel_for(N, std::max<std::int64_t>(1, 16384 / numbers), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) f(n);
  });
}

/// dx = a dy - b - (x - mean) s, all by channel.
TANDEM_TARGETS void apply_grad(const float* dy, const float* x, const float* mean, const float* a, const float* b,
                               const float* s, float* dx, std::int64_t rows, std::int64_t C) {
  for (std::int64_t r = 0; r < rows; ++r, dy += C, x += C, dx += C) {
    TANDEM_INDEPENDENT
    for (std::int64_t c = 0; c < C; ++c) dx[c] = a[c] * dy[c] - b[c] - (x[c] - mean[c]) * s[c];
  }
}

void forward(const Array& x, std::int64_t groups, const Array& w, const Array& b, double epsilon,
             GroupNormForward& result) {
  const std::int64_t N = x.shape(0), C = x.shape(1), rows = x.size() / (N * C), width = C / groups;
  const std::int64_t block = block_rows(C);
  const float *px = x.data<float>(), *pw = w.data<float>(), *pb = b.data<float>();
  float *py = result.y.data<float>(), *means = result.mean.data<float>();
  float* inverses = result.inverse_deviation.data<float>();
  each_image(N, rows * C, [&](std::int64_t n) {
    const auto size = static_cast<std::size_t>(C);
    std::vector<double> block_mean(size), squares(size);
    std::vector<float> mean(size), scale(size);
    std::vector<Moments> all(static_cast<std::size_t>(groups));
    const float* image = px + n * rows * C;
    for (std::int64_t r = 0; r < rows; r += block) {
      const std::int64_t count = std::min(block, rows - r);
      block_moments(image + r * C, count, C, block_mean.data(), squares.data());
      const auto values = static_cast<double>(count);
      for (std::size_t c = 0; c < size; ++c)
        all[c / static_cast<std::size_t>(width)].merge(values, block_mean[c], squares[c]);
    }
    for (std::size_t c = 0; c < size; ++c) {
      const Moments& m = all[c / static_cast<std::size_t>(width)];
      const double inverse = 1 / std::sqrt(m.squares / m.count + epsilon);
      const std::int64_t at = n * groups + static_cast<std::int64_t>(c) / width;
      means[at] = mean[c] = static_cast<float>(m.mean);
      inverses[at] = static_cast<float>(inverse);
      scale[c] = pw[c] * inverses[at];
    }
    apply_rows(image, nullptr, mean.data(), scale.data(), pb, false, py + n * rows * C, rows, C);
  });
}

void backward(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse_deviation,
              GroupNormGrads& grads) {
  const std::int64_t N = x.shape(0), C = x.shape(1), rows = x.size() / (N * C), groups = mean.shape(1);
  const std::int64_t width = C / groups, block = block_rows(C);
  const auto size = static_cast<std::size_t>(C);
  const float *pdy = dy.data<float>(), *px = x.data<float>(), *pw = w.data<float>();
  const float *means = mean.data<float>(), *inverses = inverse_deviation.data<float>();
  float* pdx = grads.dx.data<float>();
  std::vector<double> db(static_cast<std::size_t>(N) * size), dw(db.size());  // of each image
  each_image(N, rows * C, [&](std::int64_t n) {
    double *db_n = db.data() + n * C, *dw_n = dw.data() + n * C;
    const std::int64_t image = n * rows * C;
    std::vector<float> m(size), a(size), b(size), s(size);
    for (std::size_t c = 0; c < size; ++c) m[c] = means[n * groups + static_cast<std::int64_t>(c) / width];
    for (std::int64_t r = 0; r < rows; r += block) {
      const std::int64_t i = image + r * C;
      reduce_rows(pdy + i, px + i, nullptr, m.data(), nullptr, std::min(block, rows - r), C, db_n, dw_n);
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
      for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
        const auto k = static_cast<std::size_t>(c);
        a[k] = static_cast<float>(inverse * static_cast<double>(pw[c]));
        b[k] = static_cast<float>(inverse * sum / values);
        s[k] = static_cast<float>(inverse * inverse * slope / values);
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
  if (!(epsilon > 0)) fail(where, fmt::format("epsilon is {}, must be positive", epsilon));
  check(where, x, "w", w, {x.shape(1)}, x.dtype());
  check(where, x, "b", b, {x.shape(1)}, x.dtype());
  if (x.dtype() == DType::bf16) {
    GroupNormForward wide = group_norm(x.to(DType::f32), groups, w.to(DType::f32), b.to(DType::f32), epsilon);
    return {wide.y.to(DType::bf16), wide.mean, wide.inverse_deviation};
  }
  const Array source = as_images(x);
  const Shape statistics{x.shape(0), groups};
  GroupNormForward result{empty_images(source.shape(), x.dtype()), Array::empty(statistics, x.dtype()),
                          Array::empty(statistics, x.dtype())};
  if (x.dtype() == DType::f64) {
    reference::group_norm<double>(source, groups, w.contiguous(), b.contiguous(), epsilon, result);
  } else {
    forward(source, groups, w.contiguous(), b.contiguous(), epsilon, result);
  }
  result.y = result.y.reshape(x.shape());
  return result;
}

GroupNormGrads group_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                               const Array& inverse_deviation) {
  const profile::KernelScope profiled("group_norm_grad", x.dtype(), [&] { return profile::moves(dy, x, x); });
  const char* where = "group_norm_grad";
  check_x(where, x);
  check(where, x, "dy", dy, x.shape(), x.dtype());
  check(where, x, "w", w, {x.shape(1)}, x.dtype());
  require_defined(where, "mean", mean);
  if (mean.rank() != 2 || mean.shape(1) < 1 || x.shape(1) % mean.shape(1) != 0)
    fail(where, fmt::format("mean is {}, must be [N, groups]", mean.shape().to_string()));
  const Shape statistics{x.shape(0), mean.shape(1)};
  const DType wide_type = x.dtype() == DType::bf16 ? DType::f32 : x.dtype();
  check(where, x, "mean", mean, statistics, wide_type);
  check(where, x, "inverse_deviation", inverse_deviation, statistics, wide_type);
  if (x.dtype() == DType::bf16) {
    const auto f32 = [](const Array& a) { return a.to(DType::f32); };
    GroupNormGrads wide = group_norm_grad(f32(dy), f32(x), f32(w), mean, inverse_deviation);
    return {wide.dx.to(DType::bf16), wide.dw.to(DType::bf16), wide.db.to(DType::bf16)};
  }
  const Array gradient = as_images(dy), source = as_images(x);
  GroupNormGrads result{empty_images(source.shape(), x.dtype()), Array::empty({x.shape(1)}, x.dtype()),
                        Array::empty({x.shape(1)}, x.dtype())};
  if (x.dtype() == DType::f64) {
    reference::group_norm_grad<double>(gradient, source, w.contiguous(), mean.contiguous(),
                                       inverse_deviation.contiguous(), result);
  } else {
    backward(gradient, source, w.contiguous(), mean.contiguous(), inverse_deviation.contiguous(), result);
  }
  result.dx = result.dx.reshape(x.shape());
  return result;
}

}  // namespace tandem::kernels
