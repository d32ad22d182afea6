// See curvature.h. Vectors are kept in the parameters' dtype, their products are summed in double.
#include <tandem/optim/study/curvature.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>

namespace tandem {
namespace {

using Vector = std::vector<Array>;
constexpr double kNotFinite = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kLanczosStream = 1, kProbeStream = 2;

/// Calls f(pointer to x, pointer to y, elements) for arrays of the same memory order.
template <class F>
void with_data(const Array& x, const Array& y, F&& f) {
  if (x.dtype() == DType::f64)
    f(x.data<double>(), y.data<double>(), x.size());
  else
    f(x.data<float>(), y.data<float>(), x.size());
}

double dot(const Array& x, const Array& y) {
  double sum = 0;
  with_data(x, y, [&](const auto* a, const auto* b, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  });
  return sum;
}

double dot(const Vector& x, const Vector& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += dot(x[i], y[i]);
  return sum;
}

template <class T>
void add_scaled(T* y, const T* x, double factor, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(static_cast<double>(y[i]) + factor * x[i]);
}

/// y += factor x
void add_scaled(Vector& y, const Vector& x, double factor) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i].dtype() == DType::f64)
      add_scaled(y[i].data<double>(), x[i].data<double>(), factor, y[i].size());
    else
      add_scaled(y[i].data<float>(), x[i].data<float>(), factor, y[i].size());
  }
}

/// x / |x|; the norm.
double normalise(Vector& x) {
  const double norm = std::sqrt(dot(x, x));
  if (norm > 0) add_scaled(x, x, 1 / norm - 1);
  return norm;
}

/// Of the memory order of `like`, so that elements of equal place belong together.
Vector product_of(const SymmetricProduct& product, const Vector& v) {
  Vector y = product(v);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i].strides() == v[i].strides()) continue;
    Array ordered = Array::empty_like(v[i]);
    ordered.copy_from(y[i]);
    y[i] = ordered;
  }
  return y;
}

/// Eigenvalues of a symmetric tridiagonal matrix, the largest first, and their vectors, by Jacobi rotations (Golub and
/// Van Loan, 8.5): it is as small as the number of products.
struct Ritz {
  std::vector<double> values;
  std::vector<std::vector<double>> vectors;
};

Ritz ritz_of(const std::vector<double>& diagonal, const std::vector<double>& beside) {
  const std::size_t n = diagonal.size();
  std::vector<double> a(n * n), v(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    a[i * n + i] = diagonal[i];
    v[i * n + i] = 1;
    if (i + 1 < n) a[i * n + i + 1] = a[(i + 1) * n + i] = beside[i];
  }
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0, all = 0;
    for (std::size_t i = 0; i < n * n; ++i) {
      all += a[i] * a[i];
      if (i / n != i % n) off += a[i] * a[i];
    }
    if (off <= 1e-30 * all) break;
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a[p * n + q] == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
        const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::hypot(theta, 1));
        const double c = 1 / std::hypot(t, 1), s = t * c;
        for (std::size_t i = 0; i < n; ++i) {
          const double ip = a[i * n + p], iq = a[i * n + q];
          a[i * n + p] = c * ip - s * iq, a[i * n + q] = s * ip + c * iq;
        }
        for (std::size_t i = 0; i < n; ++i) {
          const double pi = a[p * n + i], qi = a[q * n + i], vp = v[i * n + p], vq = v[i * n + q];
          a[p * n + i] = c * pi - s * qi, a[q * n + i] = s * pi + c * qi;
          v[i * n + p] = c * vp - s * vq, v[i * n + q] = s * vp + c * vq;
        }
      }
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return a[i * n + i] > a[j * n + j]; });
  Ritz ritz;
  for (const std::size_t column : order) {
    ritz.values.push_back(a[column * n + column]);
    ritz.vectors.emplace_back();
    for (std::size_t i = 0; i < n; ++i) ritz.vectors.back().push_back(v[i * n + column]);
  }
  return ritz;
}

void check(const Vector& like, int count, double tolerance) {
  if (like.empty()) fail("curvature", "there are no parameters");
  if (count < 1) fail("curvature", fmt::format("{} products, must be at least 1", count));
  if (!(tolerance >= 0)) fail("curvature", fmt::format("tolerance is {}, must be at least 0", tolerance));
}

/// What Lanczos' method has made of products: a basis in which H is tridiagonal, its eigenvalues there.
struct Krylov {
  std::vector<Vector> basis;
  Ritz ritz;
  double next = 0;  // what the last product has beyond the basis
  int products = 0;
  bool is_finite = true, converged = false;

  double residual(std::size_t i) const { return next * std::fabs(ritz.vectors[i].back()); }
};

Krylov make_krylov(const SymmetricProduct& product, const Vector& like, int count, const LanczosOptions& options) {
  check(like, options.iterations, options.tolerance);
  std::int64_t size = 0;
  Generator generator(options.seed, kLanczosStream);
  Krylov k;
  k.basis.emplace_back();
  for (const Array& one : like) {
    k.basis[0].push_back(Array::empty_like(one));
    generator.fill_normal(k.basis[0].back());
    size += one.size();
  }
  normalise(k.basis[0]);
  std::vector<double> diagonal, beside;
  const auto most = std::min<std::int64_t>(options.iterations, size);
  while (k.products < most) {
    Vector w = product_of(product, k.basis.back());
    ++k.products;
    diagonal.push_back(dot(w, k.basis.back()));
    k.is_finite = std::isfinite(diagonal.back());
    if (!k.is_finite) break;
    for (int again = 0; again < 2; ++again)  // twice is enough: rounding leaves nothing of the basis in w
      for (const Vector& v : k.basis) add_scaled(w, v, -dot(w, v));
    k.next = normalise(w);
    k.ritz = ritz_of(diagonal, beside);
    // A vector that is zero but for rounding: the space is closed under H, and the values are eigenvalues.
    const double scale = std::fabs(diagonal.back()) + (beside.empty() ? 0 : beside.back());
    const double rounding = like[0].dtype() == DType::f64 ? 1e-13 : 1e-6;
    k.converged = k.next <= rounding * scale || k.products == size;
    bool are_good = k.products >= count;
    for (std::size_t i = 0; are_good && i < static_cast<std::size_t>(count); ++i)
      are_good = k.residual(i) <= options.tolerance * std::fabs(k.ritz.values[i]);
    k.converged = k.converged || are_good;
    if (k.converged) break;
    beside.push_back(k.next);
    k.basis.push_back(std::move(w));
  }
  return k;
}

}  // namespace

Eigenvalue largest_eigenvalue(const SymmetricProduct& product, const std::vector<Array>& like,
                              const LanczosOptions& options) {
  const Krylov k = make_krylov(product, like, 1, options);
  if (!k.is_finite) return {kNotFinite, kNotFinite, k.products, false};
  return {k.ritz.values[0], k.residual(0), k.products, k.converged};
}

std::vector<Eigenpair> largest_eigenpairs(const SymmetricProduct& product, const std::vector<Array>& like, int count,
                                          const LanczosOptions& options) {
  if (count < 1) fail("curvature", fmt::format("{} eigenvalues, must be at least 1", count));
  const Krylov k = make_krylov(product, like, count, options);
  if (!k.is_finite) fail("curvature", "a product is not finite", fmt::format("product {}", k.products));
  std::vector<Eigenpair> pairs;
  for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(count), k.ritz.values.size()); ++i) {
    Eigenpair pair{k.ritz.values[i], k.residual(i), {}};
    for (const Array& one : like) {
      pair.vector.push_back(Array::empty_like(one));
      pair.vector.back().fill(0);
    }
    for (std::size_t j = 0; j < k.ritz.vectors[i].size(); ++j)
      add_scaled(pair.vector, k.basis[j], k.ritz.vectors[i][j]);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

TraceEstimate estimate_trace(const SymmetricProduct& product, const std::vector<Array>& like,
                             const TraceOptions& options) {
  check(like, options.samples, 0);
  TraceEstimate result;
  result.blocks.assign(like.size(), 0);
  for (const Array& one : like) {
    result.diagonal.push_back(Array::empty_like(one));
    result.diagonal.back().fill(0);
  }
  std::vector<double> samples;
  for (int sample = 0; sample < options.samples; ++sample) {
    Generator generator = Generator(options.seed, kProbeStream).split(static_cast<std::uint64_t>(sample));
    Vector z;
    for (const Array& one : like) {
      z.push_back(Array::empty_like(one));
      generator.fill_uniform(z.back(), -1, 1);
      with_data(z.back(), z.back(), [&](const auto* p, const auto*, std::int64_t n) {
        using T = std::remove_cvref_t<decltype(*p)>;
        T* signs = z.back().template data<T>();
        for (std::int64_t i = 0; i < n; ++i) signs[i] = p[i] < 0 ? T{-1} : T{1};
      });
    }
    const Vector hz = product_of(product, z);
    samples.push_back(0);
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double block = dot(z[i], hz[i]);
      samples.back() += block;
      result.blocks[i] += block / options.samples;
      with_data(z[i], hz[i], [&](const auto* a, const auto* b, std::int64_t n) {
        using T = std::remove_cvref_t<decltype(*a)>;
        T* d = result.diagonal[i].template data<T>();
        for (std::int64_t j = 0; j < n; ++j) d[j] += a[j] * b[j] / static_cast<T>(options.samples);
      });
    }
  }
  double squares = 0;
  for (const double one : samples) result.value += one / options.samples;
  for (const double one : samples) squares += (one - result.value) * (one - result.value);
  const int m = options.samples;
  result.standard_error = m > 1 ? std::sqrt(squares / (m - 1) / m) : kNotFinite;
  return result;
}

}  // namespace tandem
