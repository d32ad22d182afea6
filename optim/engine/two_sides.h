// What shampoo.h and soap.h keep of the two sides of a matrix G [out, in kh kw]: averages of G G^T and G^T G, and a
// square matrix that follows from each: its root, its eigenvectors. A side longer than max_dim has none. Roots and
// bases are worked out in double (eigen.h).
#pragma once

#include <tandem/optim/engine/eigen.h>
#include <tandem/optim/engine/running_matrix_leaf.h>

namespace tandem {

/// left [rows, rows] and right [columns, columns], then `result` of each; a vector has no right side.
inline std::vector<StateArray> two_sides(const Shape& shape, std::int64_t max_dim, bool has_vectors,
                                         std::array<const char*, 2> results) {
  const std::int64_t rows = shape.rank() == 0 ? 1 : shape[0];
  const std::int64_t columns = rows == 0 ? 0 : shape.count() / rows;
  const bool has_left = rows <= max_dim && (has_vectors || shape.rank() > 1);
  const bool has_right = columns <= max_dim && shape.rank() > 1;
  return {{"left", {rows, rows}, has_left},
          {"right", {columns, columns}, has_right},
          {results[0], {rows, rows}, has_left},
          {results[1], {columns, columns}, has_right}};
}

template <class T>
struct TwoSides {
  Matrix<T> left, right, left_result, right_result;  // data is null where there is none
  T* work;

  explicit TwoSides(const WholeTensor<T>& x)
      : left{x.arrays[0], x.rows, x.rows},
        right{x.arrays[1], x.columns, x.columns},
        left_result{x.arrays[2], x.rows, x.rows},
        right_result{x.arrays[3], x.columns, x.columns},
        work(x.scratch) {}

  /// The length of the longest side that is kept.
  static std::int64_t longest(std::int64_t rows, std::int64_t columns, std::int64_t max_dim) {
    return std::max(rows <= max_dim ? rows : 0, columns <= max_dim ? columns : 0);
  }
  /// Numbers of work.
  static std::int64_t scratch(std::int64_t rows, std::int64_t columns, std::int64_t max_dim) {
    const std::int64_t n = longest(rows, columns, max_dim);
    return rows * columns + n * n;
  }

  /// left <- keep left + part g g^T, right <- keep right + part g^T g.
  void accumulate(const Matrix<T>& g, double keep, double part) const {
    const Matrix<T> turned{work, g.columns, g.rows};
    transpose(turned, g);
    if (left.data != nullptr) {
      const Matrix<T> product{work + g.size(), g.rows, g.rows};
      multiply(product, g, turned);
      combine(left, keep, left, part, product);
    }
    if (right.data != nullptr) {
      const Matrix<T> product{work + g.size(), g.columns, g.columns};
      multiply(product, turned, g);
      combine(right, keep, right, part, product);
    }
  }

  /// to := left_result g right_result^T, or with both results transposed; `between` has g's shape.
  void apply(const Matrix<T>& to, const Matrix<T>& g, bool transposed, const Matrix<T>& between) const {
    if (left.data == nullptr) {
      turn(between, g);
    } else if (transposed) {
      const Matrix<T> turned{work + g.size(), g.rows, g.rows};
      transpose(turned, left_result);
      multiply(between, turned, g);
    } else {
      multiply(between, left_result, g);
    }
    if (right.data == nullptr) {
      turn(to, between);
    } else if (transposed) {
      multiply(to, between, right_result);
    } else {
      multiply_transposed(to, between, right_result, work + g.size());
    }
  }
};

/// Doubles that the functions below use, for sides of at most n.
inline std::int64_t side_doubles(std::int64_t n) { return 4 * n * n + 2 * n; }

/// to [n, n] := (eps I + from)^exponent, from symmetric and without negative eigenvalues.
template <class T>
void matrix_power(const Matrix<T>& to, const Matrix<T>& from, double eps, double exponent, double* work) {
  const std::int64_t n = from.rows, size = n * n;
  const Matrix<double> vectors{work, n, n}, scaled{work + size, n, n}, turned{work + 2 * size, n, n},
      product{work + 3 * size, n, n};
  double* const values = work + 4 * size;
  std::copy(from.data, from.data + size, vectors.data);
  eigen(vectors.data, values, values + n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double factor = std::pow(std::max(values[i], 0.0) + eps, exponent);
    for (std::int64_t j = 0; j < n; ++j) scaled(i, j) = factor * vectors(i, j);
  }
  transpose(turned, vectors);
  multiply(product, turned, scaled);
  for (std::int64_t i = 0; i < size; ++i) to.data[i] = static_cast<T>(product.data[i]);
}

/// basis [n, n] := the eigenvectors of the symmetric `of`, one a row.
template <class T>
void eigenbasis(const Matrix<T>& basis, const Matrix<T>& of, double* work) {
  const std::int64_t n = of.rows, size = n * n;
  std::copy(of.data, of.data + size, work);
  eigen(work, work + size, work + size + n, n);
  for (std::int64_t i = 0; i < size; ++i) basis.data[i] = static_cast<T>(work[i]);
}

/// One step of the power iteration: basis := the orthonormal basis of basis of, row by row.
template <class T>
void follow_eigenbasis(const Matrix<T>& basis, const Matrix<T>& of, double* work) {
  const std::int64_t n = of.rows, size = n * n;
  const Matrix<double> before{work, n, n}, symmetric{work + size, n, n}, product{work + 2 * size, n, n};
  std::copy(basis.data, basis.data + size, before.data);
  std::copy(of.data, of.data + size, symmetric.data);
  multiply(product, before, symmetric);
  orthonormalize(product.data, n);
  for (std::int64_t i = 0; i < size; ++i) basis.data[i] = static_cast<T>(product.data[i]);
}

}  // namespace tandem
