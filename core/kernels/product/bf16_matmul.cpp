// Checks, leading dims, and who computes: oneDNN, or f32 products of rounded numbers where it has no implementation or
// the work is not worth a primitive. See bf16_matmul.h.
#include <tandem/core/kernels/product/bf16_matmul.h>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/product/product_shapes.h>
#include <tandem/core/onednn/adapter.h>
#include <tandem/core/onednn/matmul.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>

namespace tandem::kernels {

namespace {

// Below this many multiply-adds a plain loop is done before a primitive has begun.
constexpr std::int64_t kPlainProducts = 2048;

void check_dtype(const char* where, const char* name, const Array& x) {
  require_defined(where, name, x);
  if (x.dtype() != DType::bf16 && x.dtype() != DType::f32)
    fail(where, fmt::format("{} is {}, must be bf16 or f32", name, tandem::name(x.dtype())), x.shape().to_string());
}

void check_output(const char* where, DType dtype) {
  if (dtype != DType::bf16 && dtype != DType::f32)
    fail(where, fmt::format("y is to be {}, must be bf16 or f32", name(dtype)));
}

Array rounded(const Array& x) { return x.to(DType::bf16); }
Array widened(const Array& x) { return rounded(x).to(DType::f32); }

/// x where oneDNN can read its last two dims, else a row-major copy.
Array readable(const Array& x) {
  const std::int64_t rows = x.shape(-2), columns = x.shape(-1), row = x.stride(-2), column = x.stride(-1);
  const bool is_plain =
      (column == 1 && (row >= columns || rows == 1)) || (row == 1 && (column >= rows || columns == 1));
  return is_plain ? x : x.contiguous();
}

/// x [..., r, c] as [batch, r, c]: a view where strides allow, with no matrix shown twice.
Array batch_of(const Array& x, const Shape& leading) {
  Shape full = leading;
  for (const int dim : {-2, -1}) full.push_back(x.shape(dim));
  const Array all = x.shape() == full ? x : x.expand(full).contiguous();
  return readable(all.reshape({leading.count(), x.shape(-2), x.shape(-1)}));
}

Shape leading(const Shape& shape) { return Shape(shape.span().first(static_cast<std::size_t>(shape.rank() - 2))); }

/// Of m n products of k terms.
profile::Work work(double m, double n, double k, const Array& a, const Array& b, DType dtype) {
  return {2 * m * n * k, profile::bytes(a, b, m * n * static_cast<double>(size_of(dtype)))};
}

/// a bf16 [M, K] or [B, M, K], b alike or f32 weights [K, N]; false where f32 has to do it.
bool multiply(const Array& a, const Array& b, const Array& bias, Array& y) {
  const std::int64_t products = saturating_multiply(y.size(), a.shape(-1));
  return products >= kPlainProducts && has_bf16_instructions() && onednn::matmul(a, b, bias, y);
}

}  // namespace

bool has_bf16_instructions() {
  static const bool has = onednn::has_bf16_instructions();
  return has;
}

Array bf16_matmul(const Array& a, const Array& b, DType dtype) {
  constexpr const char* kName = "bf16_matmul";
  check_dtype(kName, "a", a);
  check_dtype(kName, "b", b);
  check_output(kName, dtype);
  detail::require_matmul_shapes(kName, a.shape(), b.shape());
  const std::int64_t n = b.shape(-1), k = a.shape(-1);
  const profile::KernelScope profiled("bf16_matmul", DType::bf16, [&] {
    const double batch = static_cast<double>(broadcast_shape(kName, leading(a.shape()), leading(b.shape())).count());
    return work(batch * static_cast<double>(a.shape(-2)), static_cast<double>(n), static_cast<double>(k), a, b, dtype);
  });
  if (a.rank() > 2 && b.rank() == 2 && a.is_contiguous() && a.size() > 0) {  // one tall product
    Shape shape = a.shape();
    shape[-1] = n;
    return bf16_matmul(a.reshape({a.size() / k, k}), b, dtype).reshape(shape);
  }
  const Shape batch = broadcast_shape(kName, leading(a.shape()), leading(b.shape()));
  Shape shape = batch;
  for (const std::int64_t size : {a.shape(-2), n}) shape.push_back(size);
  Array y = Array::empty(shape, dtype);
  if (y.size() == 0) return y;
  if (k > 0) {
    if (shape.rank() == 2 && multiply(readable(rounded(a)), readable(b), {}, y)) return y;
    if (shape.rank() > 2) {
      Array flat = y.reshape({batch.count(), a.shape(-2), n});
      if (multiply(batch_of(rounded(a), batch), batch_of(rounded(b), batch), {}, flat)) return y;
    }
  }
  profile::implementation("by way of f32");
  return matmul(widened(a), widened(b)).to(dtype);
}

Array bf16_linear(const Array& x, const Array& w, const Array& b, DType dtype, double slope) {
  constexpr const char* kName = "bf16_linear";
  check_dtype(kName, "x", x);
  check_dtype(kName, "w", w);
  check_output(kName, dtype);
  if (b.defined()) check_dtype(kName, "b", b);
  detail::require_linear_shapes(kName, x.shape(), w.shape(), b);
  const std::int64_t n = w.shape(0), k = w.shape(1);
  Shape shape = x.shape();
  shape[-1] = n;
  Array y = Array::empty(shape, dtype);
  if (y.size() == 0) return y;
  const std::int64_t m = y.size() / n;
  const profile::KernelScope profiled("bf16_linear", DType::bf16, [&] {
    return work(static_cast<double>(m), static_cast<double>(n), static_cast<double>(k), x, w, dtype);
  });
  Array rows = y.reshape({m, n});
  if (k > 0 && multiply(readable(rounded(x).reshape({m, k})), readable(w).transpose(0, 1),
                        b.defined() ? b.contiguous() : b, rows))
    return slope == 1 ? y : slope == 0 ? relu(y) : leaky_relu(y, slope);
  profile::implementation("by way of f32");
  return linear(widened(x), widened(w), b.defined() ? b.to(DType::f32) : b, slope).to(dtype);
}

}  // namespace tandem::kernels
