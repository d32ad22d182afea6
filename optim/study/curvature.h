// Numbers of a matrix that is known by its products with vectors alone, as a Hessian is (autograd/hessian.h): the
// largest eigenvalues by Lanczos' method, trace and diagonal by Hutchinson's estimator. A vector is one Array a
// parameter, dense, of its shape. Not here: what they are measured for (instruments.h).
//
//   const Hessian hessian(loss, {w, b});
//   const auto product = [&](const std::vector<Array>& v) { return hessian.times(v); };
//   const Eigenvalue sharpness = largest_eigenvalue(product, {w.value(), b.value()});
//   const TraceEstimate trace = estimate_trace(product, {w.value(), b.value()});
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <tandem/core/array.h>

namespace tandem {

/// v -> H v for a symmetric H.
using SymmetricProduct = std::function<std::vector<Array>(const std::vector<Array>&)>;

struct LanczosOptions {
  int iterations = 20;      ///< at most so many products
  double tolerance = 0.01;  ///< relative: ends when residual <= tolerance |value|
  std::uint64_t seed = 0;   ///< of the first vector
};

struct Eigenvalue {
  double value = 0;     ///< a Ritz value: never above the largest eigenvalue
  double residual = 0;  ///< |H y - value y| of its Ritz vector, |y| = 1: an eigenvalue is at most this far away
  int products = 0;     ///< that were made
  bool converged = false;
};

/// The largest eigenvalue (not: the largest in size), by Lanczos' method with full reorthogonalisation (Golub and Van
/// Loan, Matrix Computations, ch. 10) from a normal random vector. `like`: arrays of the vectors' shapes and dtype. It
/// keeps one vector a product. The value is NaN when a product is not finite. Throws Error when options are out of
/// range.
Eigenvalue largest_eigenvalue(const SymmetricProduct& product, const std::vector<Array>& like,
                              const LanczosOptions& options = {});

struct Eigenpair {
  double value = 0;           ///< a Ritz value
  double residual = 0;        ///< |H y - value y|, |y| = 1
  std::vector<Array> vector;  ///< y
};

/// The `count` largest eigenvalues with their vectors, the largest first, by the same method: it ends when all of them
/// are within the tolerance. Fewer where the vectors that H makes of the first one have all been seen, as of a multiple
/// of the identity. Throws Error as largest_eigenvalue does, when count is below 1, and when a product is not finite.
std::vector<Eigenpair> largest_eigenpairs(const SymmetricProduct& product, const std::vector<Array>& like, int count,
                                          const LanczosOptions& options = {});

struct TraceOptions {
  int samples = 4;         ///< products
  std::uint64_t seed = 0;  ///< of the probes
};

struct TraceEstimate {
  double value = 0;
  double standard_error = 0;         ///< of the mean over samples; NaN of one sample
  std::vector<double> blocks = {};   ///< of each parameter's own block: they add up to the value
  std::vector<Array> diagonal = {};  ///< mean of z * (H z), element by element: exact where H is diagonal
};

/// tr(H) = E[z' H z] for z of independent +-1 (Hutchinson 1990); the diagonal likewise (Bekas, Kokiopoulou and Saad
/// 2007). Throws Error when samples is below 1.
TraceEstimate estimate_trace(const SymmetricProduct& product, const std::vector<Array>& like,
                             const TraceOptions& options = {});

}  // namespace tandem
