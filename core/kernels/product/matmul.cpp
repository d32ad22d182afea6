// Matrix products: a table chooses between a plain loop, OpenBLAS and oneDNN by shape, never by timing.
// Batches fold into one product where memory allows, else run one by one or side by side.
#include <tandem/core/kernels/product/matmul.h>

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/epilogue.h>
#include <tandem/core/kernels/reference/matmul.h>
#include <tandem/core/onednn/gemm.h>
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
//   512 x 128 x 512     133/193    131/186    127/132
//   8192 x 64 x 64       68/179     70/178     55/73
//   32768 x 128 x 64     78/165     81/158     76/72
//   512^3               171/177    154/154    154/111      BLAS: a transposed, all sizes from 256 on
//   2048 x 256 x 1024   170/175    142/136    150/77
//   1024^3              154/149    153/156    148/154
//   700 x 10000 x 650   166/181    166/179    168/181
constexpr std::int64_t kPlainProducts = 4096;
constexpr std::int64_t kSmallProducts = 32 * 32 * 32;
constexpr std::int64_t kLargeSize = 256;
constexpr std::int64_t kCopyGrain = 1 << 15;                          // numbers that a thread copies at least
constexpr std::int64_t kMostOfInt = std::numeric_limits<int>::max();  // BLAS counts in int

Library choose(bool transpose_a, std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t products = saturating_multiply(saturating_multiply(m, n), k);
  if (products < kPlainProducts) return Library::plain;
  if (products < kSmallProducts) return Library::blas;
  if (transpose_a && std::min({m, n, k}) >= kLargeSize) return Library::blas;
  return Library::onednn;
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
  if (!fits_blas || choose(p.transposed, m, n, k) == Library::onednn)
    return onednn::gemm(p.transposed, q.transposed, m, n, k, p.data, p.step, q.data, q.step, beta, y, n);
  threads();  // OpenBLAS goes by the calling thread's team
  cblas_sgemm(CblasRowMajor, p.transposed ? CblasTrans : CblasNoTrans, q.transposed ? CblasTrans : CblasNoTrans,
              static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1.0F, p.data, static_cast<int>(p.step),
              q.data, static_cast<int>(q.step), beta, y, static_cast<int>(n));
}

/// One product; sums of no terms are zero.
void product(MatrixView<const float> a, MatrixView<const float> b, float* y, std::int64_t m, std::int64_t n,
             std::int64_t k) {
  if (k == 0 || choose(false, m, n, k) == Library::plain)
    reference::matmul<float>(a, b, {y, n, 1}, m, n, k);
  else
    multiply(a, b, y, m, n, k, false);
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
  const std::int64_t products = std::max<std::int64_t>(saturating_multiply(saturating_multiply(m, n), k), 1);
  if (batch == 1 || (std::is_same_v<T, float> && products >= kThreadedProduct)) return range(0, batch);
  parallel_for(batch, std::max<std::int64_t>(1, kGrain / products), range);
}

}  // namespace

Array matmul(const Array& a, const Array& b) {
  check("matmul", "a", a, "b", b);
  if (a.rank() < 2 || b.rank() < 2) fail("matmul", "both must have rank 2 or more", both("a", a, "b", b));
  if (a.shape(-1) != b.shape(-2))
    fail("matmul", fmt::format("a has {} columns, b has {} rows", a.shape(-1), b.shape(-2)), both("a", a, "b", b));
  if (a.dtype() == DType::bf16) return matmul(a.to(DType::f32), b.to(DType::f32)).to(DType::bf16);
  const std::int64_t m = a.shape(-2), n = b.shape(-1), k = a.shape(-1);
  if (a.rank() > 2 && b.rank() == 2 && a.is_contiguous() && a.size() > 0) {  // one tall product
    Shape shape = a.shape();
    shape[-1] = n;
    return matmul(a.reshape({a.size() / k, k}), b).reshape(shape);
  }
  Shape shape = broadcast_shape("matmul", leading(a.shape()), leading(b.shape()));
  Shape a_shape = shape, b_shape = shape;
  for (const std::int64_t size : {m, k}) a_shape.push_back(size);
  for (const std::int64_t size : {k, n}) b_shape.push_back(size);
  for (const std::int64_t size : {m, n}) shape.push_back(size);
  Array y = Array::empty(shape, a.dtype());
  if (y.size() == 0) return y;
  if (a.dtype() == DType::f64)
    each_product<double>(a.expand(a_shape), b.expand(b_shape), y);
  else
    each_product<float>(readable(a).expand(a_shape), readable(b).expand(b_shape), y);
  return y;
}

Array linear(const Array& x, const Array& w, const Array& b, double slope) {
  check("linear", "x", x, "w", w);
  if (x.rank() < 1 || w.rank() != 2) fail("linear", "x must have rank 1 or more, w rank 2", both("x", x, "w", w));
  if (x.shape(-1) != w.shape(1))
    fail("linear", fmt::format("x has {} features, w expects {}", x.shape(-1), w.shape(1)), both("x", x, "w", w));
  const std::int64_t n = w.shape(0), k = w.shape(1);
  if (b.defined()) {
    check("linear", "x", x, "b", b);
    if (b.shape() != Shape{n})
      fail("linear", fmt::format("b is {}, must be [{}]", b.shape().to_string(), n), both("x", x, "w", w));
  }
  if (x.dtype() == DType::bf16)
    return linear(x.to(DType::f32), w.to(DType::f32), b.defined() ? b.to(DType::f32) : b, slope).to(DType::bf16);
  Shape shape = x.shape();
  shape[-1] = n;
  Array y = Array::empty(shape, x.dtype());
  if (y.size() == 0) return y;
  const std::int64_t m = y.size() / n, bias_stride = b.defined() ? b.stride(0) : 0;
  const Array rows = x.rank() == 2 ? x : x.reshape({m, k});
  const auto run = [&]<class T>(T) {
    const MatrixView<const T> transposed{w.data<T>(), w.stride(1), w.stride(0)};
    reference::matmul<T>(view<T>(rows), transposed, {y.data<T>(), n, 1}, m, n, k, b.defined() ? b.data<T>() : nullptr,
                         bias_stride);
  };
  if (x.dtype() == DType::f64) {
    run(double{});
    if (slope != 1) return leaky_relu(y, slope);
  } else if (k == 0 || choose(false, m, n, k) == Library::plain) {
    run(float{});
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
