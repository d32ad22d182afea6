// Matrix products: a table chooses between a plain loop, OpenBLAS and oneDNN by shape, never by timing.
// Batches fold into one product where memory allows, else run one by one or side by side.
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/product/product_shapes.h>

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/epilogue.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/core/kernels/product/small.h>
#include <tandem/core/kernels/reference/matmul.h>
#include <tandem/core/onednn/gemm.h>
#include <tandem/core/overlap.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using reference::MatrixView;

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
constexpr std::int64_t kCopyGrain = 1 << 15;                          // numbers that a thread copies at least
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

/// y[m, n] = a b (+ what y holds, when `add`); y is row major without gaps.
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

/// One product; sums of no terms are zero.
void product(MatrixView<const float> a, MatrixView<const float> b, float* y, std::int64_t m, std::int64_t n,
             std::int64_t k) {
  if (k == 0 || choose(false, m, n, k) == Library::plain) {
    profile::implementation("small");
    multiply_small(a, b, y, m, n, k);
  } else {
    multiply(a, b, y, m, n, k, false);
  }
}

template <class T>
MatrixView<const T> view(const Array& x, std::int64_t offset = 0) {
  return {x.data<T>() + offset, x.stride(-2), x.stride(-1)};
}

std::string both(const char* a_name, const Array& a, const char* b_name, const Array& b) {
  return fmt::format("{} {}, {} {}", a_name, a.shape().to_string(), b_name, b.shape().to_string());
}

void check(const char* where, const char* a_name, const Array& a, const char* b_name, const Array& b) {
  require_defined(where, a_name, a);
  require_defined(where, b_name, b);
  if (!is_floating(a.dtype()) || a.dtype() != b.dtype())
    fail(where, fmt::format("{} is {} and {} is {}: they must be floating and equal", a_name, name(a.dtype()), b_name,
                            name(b.dtype())));
}

Array readable(const Array& x) {
  return is_readable(x.shape(-2), x.shape(-1), x.stride(-2), x.stride(-1)) ? x : x.contiguous();
}

/// Numbers in the product of a and b.
double product_count(const Array& a, const Array& b) {
  double count = static_cast<double>(a.shape(-2)) * static_cast<double>(b.shape(-1));
  for (int dim = 3; dim <= std::max(a.rank(), b.rank()); ++dim)
    count *= static_cast<double>(std::max(dim <= a.rank() ? a.shape(-dim) : 1, dim <= b.rank() ? b.shape(-dim) : 1));
  return count;
}

profile::Work product_work(const Array& a, const Array& b) {
  const double outputs = a.size() == 0 || b.size() == 0 ? 0 : product_count(a, b);
  return {2 * outputs * static_cast<double>(a.shape(-1)),
          profile::bytes(a, b, outputs * static_cast<double>(size_of(a.dtype())))};
}

Shape leading(const Shape& shape) { return Shape(shape.span().first(static_cast<std::size_t>(shape.rank() - 2))); }

/// Where matrix `index` of a batch begins.
std::int64_t batch_offset(const Array& x, std::int64_t index) {
  std::int64_t offset = 0;
  for (int dim = x.rank() - 3; dim >= 0; --dim) {
    offset += index % x.shape(dim) * x.stride(dim);
    index /= x.shape(dim);
  }
  return offset;
}

/// Each matrix of the batch; a and b are expanded to it.
template <class T>
void each_product(const Array& a, const Array& b, Array& y) {
  const std::int64_t m = y.shape(-2), n = y.shape(-1), k = a.shape(-1), batch = y.size() / (m * n);
  T* py = y.data<T>();
  const auto range = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto pa = view<T>(a, batch_offset(a, i)), pb = view<T>(b, batch_offset(b, i));
      if constexpr (std::is_same_v<T, float>)
        product(pa, pb, py + i * m * n, m, n, k);
      else
        reference::matmul<T>(pa, pb, {py + i * m * n, n, 1}, m, n, k);
    }
  };
  constexpr std::int64_t kGrain = 1 << 16, kThreadedProduct = 1 << 22;
  const std::int64_t products = std::max<std::int64_t>(products_of(m, n, k), 1);
  if (batch == 1 || (std::is_same_v<T, float> && products >= kThreadedProduct)) return range(0, batch);
  parallel_for(batch, std::max<std::int64_t>(1, kGrain / products), range);
}

/// y = a b of f32 matrices.
void product_of(const Array& a, const Array& b, Array& y) {
  if (y.size() == 0) return;
  const std::int64_t m = y.shape(0), n = y.shape(1), k = a.shape(1);
  if (k == 0 || choose(false, m, n, k) == Library::plain) {
    return multiply_small(view<float>(a), view<float>(b), y.data<float>(), m, n, k);
  }
  const Array left = readable(a), right = readable(b);
  multiply(view<float>(left), view<float>(right), y.data<float>(), m, n, k, false);
}

}  // namespace

void matmul_into(const Array& a, const Array& b, Array& y) {
  check("matmul_into", "a", a, "b", b);
  require_dtype("matmul_into", "a", a, DType::f32);
  require_dtype("matmul_into", "y", y, DType::f32);
  if (a.rank() != 2 || b.rank() != 2 || a.shape(1) != b.shape(0) || !(y.shape() == Shape{a.shape(0), b.shape(1)}) ||
      !y.is_contiguous()) {
    fail("matmul_into", "must be a [m, k], b [k, n] and y [m, n] in row-major order",
         fmt::format("{}, y {} with strides {}", both("a", a, "b", b), y.shape().to_string(), y.strides().to_string()));
  }
  const profile::KernelScope profiled("matmul_into", DType::f32, [&] { return product_work(a, b); });
  product_of(overlaps(a, y) ? a.clone() : a, overlaps(b, y) ? b.clone() : b, y);
  y.mark_changed();
}

Array matmul(const Array& a, const Array& b) {
  check("matmul", "a", a, "b", b);
  detail::require_matmul_shapes("matmul", a.shape(), b.shape());
  const profile::KernelScope profiled("matmul", a.dtype(), [&] { return product_work(a, b); });
  if (a.dtype() == DType::bf16) return bf16_matmul(a, b);
  if (a.dtype() == DType::f16)
    return profile::implementation("by way of f32"), matmul(a.to(DType::f32), b.to(DType::f32)).to(DType::f16);
  const std::int64_t m = a.shape(-2), n = b.shape(-1), k = a.shape(-1);
  if (a.rank() > 2 && b.rank() == 2 && a.is_contiguous() && a.size() > 0) {  // one tall product
    Shape shape = a.shape();
    shape[-1] = n;
    return matmul(a.reshape({a.size() / k, k}), b).reshape(shape);
  }
  if (a.rank() == 2 && b.rank() == 2 && a.dtype() == DType::f32) {
    Array y = Array::empty({m, n});
    product_of(a, b, y);
    return y;
  }
  Shape shape = broadcast_shape("matmul", leading(a.shape()), leading(b.shape()));
  Shape a_shape = shape, b_shape = shape;
  for (const std::int64_t size : {m, k}) a_shape.push_back(size);
  for (const std::int64_t size : {k, n}) b_shape.push_back(size);
  for (const std::int64_t size : {m, n}) shape.push_back(size);
  Array y = Array::empty(shape, a.dtype());
  if (y.size() == 0) return y;
  if (a.dtype() == DType::f64)
    profile::implementation("reference"), each_product<double>(a.expand(a_shape), b.expand(b_shape), y);
  else
    each_product<float>(readable(a).expand(a_shape), readable(b).expand(b_shape), y);
  return y;
}

Array linear(const Array& x, const Array& w, const Array& b, double slope) {
  check("linear", "x", x, "w", w);
  if (b.defined()) check("linear", "x", x, "b", b);
  detail::require_linear_shapes("linear", x.shape(), w.shape(), b);
  const std::int64_t n = w.shape(0), k = w.shape(1);
  const profile::KernelScope profiled("linear", x.dtype(), [&] {
    const double outputs =
        static_cast<double>(x.size()) / static_cast<double>(std::max<std::int64_t>(1, k)) * static_cast<double>(n);
    return profile::Work{2 * outputs * static_cast<double>(k),
                         profile::bytes(x, w, outputs * static_cast<double>(size_of(x.dtype())))};
  });
  if (x.dtype() == DType::bf16) return bf16_linear(x, w, b, DType::bf16, slope);
  if (x.dtype() == DType::f16) {
    profile::implementation("by way of f32");
    const Array bias = b.defined() ? b.to(DType::f32) : b;
    return linear(x.to(DType::f32), w.to(DType::f32), bias, slope).to(DType::f16);
  }
  Shape shape = x.shape();
  shape[-1] = n;
  Array y = Array::empty(shape, x.dtype());
  if (y.size() == 0) return y;
  const std::int64_t m = y.size() / n, bias_stride = b.defined() ? b.stride(0) : 0;
  const Array rows = x.rank() == 2 ? x : x.reshape({m, k});
  if (x.dtype() == DType::f64) {
    profile::implementation("reference");
    const MatrixView<const double> transposed{w.data<double>(), w.stride(1), w.stride(0)};
    reference::matmul<double>(view<double>(rows), transposed, {y.data<double>(), n, 1}, m, n, k,
                              data_or_null<double>(b), bias_stride);
    if (slope != 1) return leaky_relu(y, slope);
  } else if (k == 0 || choose(false, m, n, k) == Library::plain) {
    profile::implementation("small");
    multiply_small(view<float>(rows), {w.data<float>(), w.stride(1), w.stride(0)}, y.data<float>(), m, n, k,
                   data_or_null<float>(b), bias_stride);
    finish_rows(y.data<float>(), nullptr, m, n, slope);
  } else {
    const Array left = readable(rows), right = readable(w);
    float* py = y.data<float>();
    const Array bias = b.defined() ? b.contiguous() : b;
    const bool is_first = b.defined() && slope == 1;  // the product adds to the bias
    if (is_first) {
      const float* pb = bias.data<float>();
      parallel_for(m, 1 + kCopyGrain / n, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) std::copy_n(pb, n, py + i * n);
      });
    }
    multiply(view<float>(left), {right.data<float>(), right.stride(1), right.stride(0)}, py, m, n, k, is_first);
    if (!is_first) finish_rows(py, b.defined() ? bias.data<float>() : nullptr, m, n, slope);
  }
  return y;
}

}  // namespace tandem::kernels
