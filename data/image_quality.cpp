// See image_quality.h. Windows are applied along rows, then along columns: the Gaussian of two variables is a product.
#include <tandem/data/image_quality.h>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>

namespace tandem {

namespace {

constexpr std::int64_t kRadius = 5, kWindow = 2 * kRadius + 1;
constexpr double kDeviation = 1.5, kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;

void check(const char* where, const Array& a, const Array& b) {
  require_defined(where, "a", a);
  require_defined(where, "b", b);
  if (a.dtype() != DType::f32 && a.dtype() != DType::f64)
    fail(where, fmt::format("a is {}, must be f32 or f64", name(a.dtype())));
  require_dtype(where, "b", b, a.dtype());
  if (a.rank() != 4 || a.shape() != b.shape() || a.shape(1) < 1 || a.shape(2) < 1 || a.shape(3) < 1)
    fail(where, "a and b must be images [N, C, H, W] of one shape",
         fmt::format("a {}, b {}", a.shape().to_string(), b.shape().to_string()));
}

/// Weights of the window along one dim; they sum to 1.
std::array<double, kWindow> gaussian() {
  std::array<double, kWindow> weights{};
  double sum = 0;
  for (std::int64_t i = 0; i < kWindow; ++i) {
    const auto distance = static_cast<double>(i - kRadius) / kDeviation;
    sum += weights[static_cast<std::size_t>(i)] = std::exp(-0.5 * distance * distance);
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Weighted means of a plane of H x W over all windows inside it: (H - 10) x (W - 10).
void filter(const std::vector<double>& plane, std::int64_t H, std::int64_t W, std::vector<double>& rows,
            std::vector<double>& means) {
  static const std::array<double, kWindow> weights = gaussian();
  const std::int64_t Q = W - kWindow + 1, P = H - kWindow + 1;
  rows.assign(static_cast<std::size_t>(H * Q), 0);
  means.assign(static_cast<std::size_t>(P * Q), 0);
  const double* in = plane.data();
  double *middle = rows.data(), *out = means.data();
  for (std::int64_t i = 0; i < H; ++i)
    for (std::int64_t k = 0; k < kWindow; ++k) {
      const double weight = weights[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < Q; ++j) middle[i * Q + j] += weight * in[i * W + j + k];
    }
  for (std::int64_t i = 0; i < P; ++i)
    for (std::int64_t k = 0; k < kWindow; ++k) {
      const double weight = weights[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < Q; ++j) out[i * Q + j] += weight * middle[(i + k) * Q + j];
    }
}

/// Mean similarity over the windows of one plane. a and b in row-major order.
double plane_ssim(const std::vector<double>& a, const std::vector<double>& b, std::int64_t H, std::int64_t W) {
  std::vector<double> rows, ma, mb, aa, bb, ab, product(a.size());
  const auto moment = [&](const std::vector<double>& u, const std::vector<double>& v, std::vector<double>& means) {
    for (std::size_t i = 0; i < product.size(); ++i) product[i] = u[i] * v[i];
    filter(product, H, W, rows, means);
  };
  filter(a, H, W, rows, ma);
  filter(b, H, W, rows, mb);
  moment(a, a, aa);
  moment(b, b, bb);
  moment(a, b, ab);
  double sum = 0;
  for (std::size_t i = 0; i < ma.size(); ++i) {
    const double va = aa[i] - ma[i] * ma[i], vb = bb[i] - mb[i] * mb[i], covariance = ab[i] - ma[i] * mb[i];
    sum +=
        (2 * ma[i] * mb[i] + kC1) * (2 * covariance + kC2) / ((ma[i] * ma[i] + mb[i] * mb[i] + kC1) * (va + vb + kC2));
  }
  return sum / static_cast<double>(ma.size());
}

}  // namespace

std::vector<double> psnr(const Array& a, const Array& b) {
  check("psnr", a, b);
  std::vector<double> figures(static_cast<std::size_t>(a.shape(0)));
  parallel_for(a.shape(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::vector<double> u = a.select(0, n).to_vector<double>(), v = b.select(0, n).to_vector<double>();
      double squares = 0;
      for (std::size_t i = 0; i < u.size(); ++i) squares += (u[i] - v[i]) * (u[i] - v[i]);
      const double mse = squares / static_cast<double>(u.size());
      figures[static_cast<std::size_t>(n)] = mse == 0 ? std::numeric_limits<double>::infinity() : -10 * std::log10(mse);
    }
  });
  return figures;
}

std::vector<double> ssim(const Array& a, const Array& b) {
  check("ssim", a, b);
  const std::int64_t C = a.shape(1), H = a.shape(2), W = a.shape(3);
  if (H < kWindow || W < kWindow)
    fail("ssim", fmt::format("images must be at least {0}x{0}", kWindow), fmt::format("a {}", a.shape().to_string()));
  std::vector<double> figures(static_cast<std::size_t>(a.shape(0)));
  parallel_for(a.shape(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      double sum = 0;
      for (std::int64_t c = 0; c < C; ++c)
        sum += plane_ssim(a.select(0, n).select(0, c).to_vector<double>(),
                          b.select(0, n).select(0, c).to_vector<double>(), H, W);
      figures[static_cast<std::size_t>(n)] = sum / static_cast<double>(C);
    }
  });
  return figures;
}

}  // namespace tandem
