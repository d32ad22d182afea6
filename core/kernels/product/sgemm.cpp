// A table chooses between a plain loop, OpenBLAS and oneDNN by shape, never by timing. See sgemm.h.
#include <tandem/core/kernels/product/sgemm.h>

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include <tandem/core/kernels/product/small.h>
#include <tandem/core/onednn/gemm.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels::detail {

using reference::MatrixView;

namespace {

enum class Library { plain, blas, onednn };

// Measured on two Zen 3 cores (AVX2), OpenBLAS 0.3.21 / oneDNN 2.6.3, GFLOP/s; letters: a, b as stored or transposed.
//   m x n x k             NN         NT         TN
//   4 x 16 x 2          3.3/0.8    2.9/0.8    3.5/1.1      a call costs 0.1 / 0.3 us: plain loop
//   16^3                 27/20      23/18      28/23        BLAS
//   64^3                 66/79      63/117     68/105       oneDNN from 32^3 on
//   128 x 10 x 512       31/88      32/70      27/71
//   8192 x 64 x 64       68/179     70/178     55/73
//   512^3               171/177    154/154    154/111      BLAS: a transposed, all sizes from 256 on
//   2048 x 256 x 1024   170/175    142/136    150/77
//   1024^3              154/149    153/156    148/154
//   700 x 10000 x 650   166/181    166/179    168/181
//   10000 x 650 x 700, 2600 x 650 x 700       133/159, 129/148      oneDNN: wide both ways and shallow
// Two cores with AVX-512, us of one thread / two, N T: OpenBLAS 0.3.21 knows no processor of after 2022 and takes its
// kernels for SSE3 there (32 x 32 x 16: 2.6 us, oneDNN 0.7), and where it knows one it wins nothing: oneDNN always.
//   32 x 128 x 64     4.6/4.3   128 x 64 x 32     4.1/8.9   64^3        5.0/6.1    a second thread:
//   64 x 128 x 256   37/20      128^3            28/21      64 x 256^2 67/39       from 2^21 products on
constexpr std::int64_t kBlasProducts = 32 * 32 * 32;
constexpr std::int64_t kThreadedProducts = std::int64_t{1} << 21;
constexpr std::int64_t kLargeSize = 256, kWideSize = 640, kShallowSize = 1024;
constexpr std::int64_t kMostOfInt = std::numeric_limits<int>::max();  // BLAS counts in int

std::int64_t products_of(std::int64_t m, std::int64_t n, std::int64_t k) {
  return saturating_multiply(saturating_multiply(m, n), k);
}

Library choose(bool transpose_a, std::int64_t m, std::int64_t n, std::int64_t k) {
  static const bool has_avx512 = instruction_set() == "avx512";
  const std::int64_t products = products_of(m, n, k);
  if (products < kSmallProduct) return Library::plain;
  if (has_avx512) return Library::onednn;
  if (products < kBlasProducts) return Library::blas;
  const bool is_wide_and_shallow = std::min(m, n) >= kWideSize && k <= kShallowSize;
  if (transpose_a && std::min({m, n, k}) >= kLargeSize && !is_wide_and_shallow) return Library::blas;
  return Library::onednn;
}

/// With the processor whose kernels OpenBLAS has chosen: "OpenBLAS sgemm SkylakeX".
const std::string& blas_name() {
  static const std::string name = fmt::format("OpenBLAS sgemm {}", openblas_get_corename());
  return name;
}

/// A matrix as BLAS reads it: rows of `step` numbers, possibly standing for the transpose.
struct Operand {
  const float* data;
  std::int64_t step;
  bool transposed;
};

/// True when BLAS can read a [rows, columns] matrix of these strides where it lies.
bool is_readable(std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column) {
  return (column == 1 && (row >= columns || rows == 1)) || (row == 1 && (column >= rows || columns == 1));
}

Operand operand(MatrixView<const float> x, std::int64_t rows, std::int64_t columns) {
  if (x.column == 1 && (x.row >= columns || rows == 1)) return {x.data, std::max(x.row, columns), false};
  return {x.data, std::max(x.column, rows), true};
}

}  // namespace

bool is_small(std::int64_t m, std::int64_t n, std::int64_t k) {
  return k == 0 || choose(false, m, n, k) == Library::plain;
}

Array readable(const Array& x) {
  return is_readable(x.shape(-2), x.shape(-1), x.stride(-2), x.stride(-1)) ? x : x.contiguous();
}

void multiply(MatrixView<const float> a, MatrixView<const float> b, float* y, std::int64_t m, std::int64_t n,
              std::int64_t k, bool add) {
  const Operand p = operand(a, m, k), q = operand(b, k, n);
  const float beta = add ? 1.0F : 0.0F;
  const bool fits_blas = std::max({m, n, k, p.step, q.step}) <= kMostOfInt;
  if (!fits_blas || choose(p.transposed, m, n, k) == Library::onednn) {
    profile::implementation("oneDNN sgemm");
    std::optional<OneThread> alone;
    if (products_of(m, n, k) < kThreadedProducts) alone.emplace();
    return onednn::gemm(p.transposed, q.transposed, m, n, k, p.data, p.step, q.data, q.step, beta, y, n);
  }
  profile::implementation(blas_name());
  threads();  // OpenBLAS goes by the calling thread's team
  cblas_sgemm(CblasRowMajor, p.transposed ? CblasTrans : CblasNoTrans, q.transposed ? CblasTrans : CblasNoTrans,
              static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1.0F, p.data, static_cast<int>(p.step),
              q.data, static_cast<int>(q.step), beta, y, static_cast<int>(n));
}

void product(MatrixView<const float> a, MatrixView<const float> b, float* y, std::int64_t m, std::int64_t n,
             std::int64_t k) {
  if (is_small(m, n, k)) {
    profile::implementation("small");
    multiply_small(a, b, y, m, n, k);
  } else {
    multiply(a, b, y, m, n, k, false);
  }
}

}  // namespace tandem::kernels::detail
