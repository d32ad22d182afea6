// See eigen.h. Matrices are kept by columns here, so that every inner loop runs over neighbours: v(k, i) is row k of
// column i, and the caller finds one eigenvector a row.
#include <tandem/optim/engine/eigen.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem {
namespace {

struct Columns {
  double* data;
  std::int64_t n;
  double& operator()(std::int64_t row, std::int64_t column) const { return data[column * n + row]; }
};

/// v := the orthogonal matrix Q of Q^T a Q = tridiagonal, with diagonal d and, from e[1] on, the numbers beside it.
void tridiagonalize(const Columns& v, double* d, double* e, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) d[j] = v(n - 1, j);
  for (std::int64_t i = n - 1; i > 0; --i) {
    double scale = 0, h = 0;
    for (std::int64_t k = 0; k < i; ++k) scale += std::abs(d[k]);
    if (scale == 0) {
      e[i] = d[i - 1];
      for (std::int64_t j = 0; j < i; ++j) {
        d[j] = v(i - 1, j);
        v(i, j) = v(j, i) = 0;
      }
      d[i] = 0;
      continue;
    }
    for (std::int64_t k = 0; k < i; ++k) {  // the Householder vector
      d[k] /= scale;
      h += d[k] * d[k];
    }
    const double last = d[i - 1], root = last > 0 ? -std::sqrt(h) : std::sqrt(h);
    e[i] = scale * root;
    h -= last * root;
    d[i - 1] = last - root;
    std::fill(e, e + i, 0.0);
    for (std::int64_t j = 0; j < i; ++j) {  // applied to the columns that are left
      const double f = d[j];
      v(j, i) = f;
      double g = e[j] + v(j, j) * f;
      for (std::int64_t k = j + 1; k < i; ++k) {
        g += v(k, j) * d[k];
        e[k] += v(k, j) * f;
      }
      e[j] = g;
    }
    double f = 0;
    for (std::int64_t j = 0; j < i; ++j) {
      e[j] /= h;
      f += e[j] * d[j];
    }
    const double half = f / (h + h);
    for (std::int64_t j = 0; j < i; ++j) e[j] -= half * d[j];
    for (std::int64_t j = 0; j < i; ++j) {
      const double x = d[j], y = e[j];
      for (std::int64_t k = j; k < i; ++k) v(k, j) -= x * e[k] + y * d[k];
      d[j] = v(i - 1, j);
      v(i, j) = 0;
    }
    d[i] = h;
  }
  for (std::int64_t i = 0; i < n - 1; ++i) {  // the product of all reflections
    v(n - 1, i) = v(i, i);
    v(i, i) = 1;
    const double h = d[i + 1];
    if (h != 0) {
      for (std::int64_t k = 0; k <= i; ++k) d[k] = v(k, i + 1) / h;
      for (std::int64_t j = 0; j <= i; ++j) {
        double g = 0;
        for (std::int64_t k = 0; k <= i; ++k) g += v(k, i + 1) * v(k, j);
        for (std::int64_t k = 0; k <= i; ++k) v(k, j) -= g * d[k];
      }
    }
    for (std::int64_t k = 0; k <= i; ++k) v(k, i + 1) = 0;
  }
  for (std::int64_t j = 0; j < n; ++j) {
    d[j] = v(n - 1, j);
    v(n - 1, j) = 0;
  }
  v(n - 1, n - 1) = 1;
  e[0] = 0;
}

/// One implicit QL step on rows l..m of the tridiagonal matrix; what the shift takes from the diagonal.
double ql_step(const Columns& v, double* d, double* e, std::int64_t n, std::int64_t l, std::int64_t m) {
  double g = d[l], p = (d[l + 1] - g) / (2 * e[l]);
  double r = std::copysign(std::hypot(p, 1.0), p);
  d[l] = e[l] / (p + r);
  d[l + 1] = e[l] * (p + r);
  const double second = d[l + 1], shift = g - d[l], beside = e[l + 1];
  for (std::int64_t i = l + 2; i < n; ++i) d[i] -= shift;
  p = d[m];
  double c = 1, c2 = 1, c3 = 1, s = 0, s2 = 0;
  for (std::int64_t i = m - 1; i >= l; --i) {
    c3 = c2, c2 = c, s2 = s;
    g = c * e[i];
    const double h = c * p;
    r = std::hypot(p, e[i]);
    e[i + 1] = s * r;
    s = e[i] / r;
    c = p / r;
    p = c * d[i] - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]);
    double* const one = &v(0, i);
    double* const next = &v(0, i + 1);
    for (std::int64_t k = 0; k < n; ++k) {
      const double x = next[k];
      next[k] = s * one[k] + c * x;
      one[k] = c * one[k] - s * x;
    }
  }
  p = -s * s2 * c3 * beside * e[l] / second;
  e[l] = s * p;
  d[l] = c * p;
  return shift;
}

}  // namespace

void eigen(double* a, double* values, double* work, std::int64_t n) {
  if (!std::all_of(a, a + n * n, [](double x) { return std::isfinite(x); })) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    std::fill(a, a + n * n, none);
    std::fill(values, values + n, none);
    return;
  }
  const Columns v{a, n};
  double* const d = values;
  double* const e = work;
  tridiagonalize(v, d, e, n);
  std::copy(e + 1, e + n, e);
  e[n - 1] = 0;
  double shifts = 0, size = 0;
  for (std::int64_t l = 0; l < n; ++l) {
    size = std::max(size, std::abs(d[l]) + std::abs(e[l]));
    const double nothing = std::numeric_limits<double>::epsilon() * size;
    std::int64_t m = l;
    while (m < n - 1 && std::abs(e[m]) > nothing) ++m;
    constexpr int kMost = 60;  // two or three are usual
    for (int i = 0; m > l && i < kMost; ++i) {
      shifts += ql_step(v, d, e, n, l, m);
      if (std::abs(e[l]) <= nothing) break;
    }
    d[l] += shifts;
    e[l] = 0;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const auto largest = std::max_element(d + i, d + n) - d;
    if (largest == i) continue;
    std::swap(d[i], d[largest]);
    std::swap_ranges(&v(0, i), &v(0, i) + n, &v(0, largest));
  }
}

void orthonormalize(double* a, std::int64_t n) {
  const auto dot = [n](const double* x, const double* y) {
    double sum = 0;
    for (std::int64_t k = 0; k < n; ++k) sum += x[k] * y[k];
    return sum;
  };
  const auto remove = [&](double* row, std::int64_t before) {  // what lies in the rows before
    for (std::int64_t j = 0; j < before; ++j) {
      const double* const other = a + j * n;
      const double part = dot(row, other);
      for (std::int64_t k = 0; k < n; ++k) row[k] -= part * other[k];
    }
    const double left = std::sqrt(dot(row, row));
    for (std::int64_t k = 0; k < n && left > 0; ++k) row[k] /= left;
    return left;
  };
  std::int64_t unit = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double* const row = a + i * n;
    double size = std::sqrt(dot(row, row));
    while (remove(row, i) <= 1e-10 * size) {
      std::fill(row, row + n, 0.0);
      row[unit++] = size = 1;
    }
    remove(row, i);  // once is not enough where little was left
  }
}

}  // namespace tandem
