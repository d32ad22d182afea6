// Eigenvectors of symmetric matrices in double, on one thread: what shampoo.h and soap.h take roots and bases from.
// Householder reduction and implicit QL: EISPACK's tred2 and tql2 (Wilkinson & Reinsch 1971, "Linear algebra"), about
// 9 n^3 operations. And orthonormal bases by Gram-Schmidt.
#pragma once

#include <cstdint>

namespace tandem {

/// a [n, n], symmetric, := its eigenvectors, one a row; values [n] := the eigenvalues, the largest first. `work` is n
/// numbers. Where a is not finite all results are NaN.
void eigen(double* a, double* values, double* work, std::int64_t n);

/// The rows of a [n, n] := an orthonormal basis, row i in the span of rows 0..i and on the side of row i: the Q of a QR
/// decomposition of the transpose. A row that depends on those before is replaced by a unit vector.
void orthonormalize(double* a, std::int64_t n);

}  // namespace tandem
