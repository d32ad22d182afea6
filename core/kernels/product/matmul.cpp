// Products of Arrays. Batches fold into one product where memory allows, else run one by one or side by side. Not here:
// who computes a product of f32 (sgemm.cpp).
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/product/product_shapes.h>

#include <fmt/format.h>

#include <algorithm>

#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/epilogue.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/core/kernels/product/sgemm.h>
#include <tandem/core/kernels/product/small.h>
#include <tandem/core/kernels/reference/matmul.h>
#include <tandem/core/overlap.h>
#include <tandem/core/profile.h>
#include <tandem/core/saturate.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::multiply, detail::product, detail::readable, reference::MatrixView;

constexpr std::int64_t kCopyGrain = 1 << 15;  // numbers that a thread copies at least

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

/// The matrices of a batch.
template <class T>
struct Matrices {
  MatrixView<const T> first;
  Shape sizes;
  Strides strides;

  Matrices(const Array& x) : first(view<T>(x)), sizes(leading(x.shape())), strides(leading(x.strides())) {}
  MatrixView<const T> operator[](std::int64_t index) const {
    MatrixView<const T> matrix = first;
    for (int dim = sizes.rank() - 1; dim >= 0; --dim) {
      matrix.data += index % sizes[dim] * strides[dim];
      index /= sizes[dim];
    }
    return matrix;
  }
};

/// Each matrix of the batch; a and b are expanded to it.
template <class T>
void each_product(const Array& a, const Array& b, Array& y) {
  const std::int64_t m = y.shape(-2), n = y.shape(-1), k = a.shape(-1), batch = y.size() / (m * n);
  capture::run("matmul", {&a, &b}, {&y}, [as = Matrices<T>(a), bs = Matrices<T>(b), py = y.data<T>(), m, n, k, batch] {
    const auto range = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        if constexpr (std::is_same_v<T, float>)
          product(as[i], bs[i], py + i * m * n, m, n, k);
        else
          reference::matmul<T>(as[i], bs[i], {py + i * m * n, n, 1}, m, n, k);
      }
    };
    constexpr std::int64_t kGrain = 1 << 16, kThreadedProduct = 1 << 22;
    const std::int64_t products = std::max<std::int64_t>(saturating_multiply(saturating_multiply(m, n), k), 1);
    if (batch == 1 || (std::is_same_v<T, float> && products >= kThreadedProduct)) return range(0, batch);
    parallel_for(batch, std::max<std::int64_t>(1, kGrain / products), range);
  });
}

/// y = a b of f32 matrices.
void product_of(const Array& a, const Array& b, Array& y) {
  if (y.size() == 0) return;
  const std::int64_t m = y.shape(0), n = y.shape(1), k = a.shape(1);
  float* py = y.data<float>();
  if (detail::is_small(m, n, k)) {
    return capture::run("matmul", {&a, &b}, {&y}, [pa = view<float>(a), pb = view<float>(b), py, m, n, k] {
      multiply_small(pa, pb, py, m, n, k);
    });
  }
  const Array left = readable(a), right = readable(b);
  capture::run("matmul", {&left, &right}, {&y}, [pa = view<float>(left), pb = view<float>(right), py, m, n, k] {
    multiply(pa, pb, py, m, n, k, false);
  });
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
    capture::run("linear", {&rows, &w, &b}, {&y},
                 [left = view<double>(rows), transposed, pb = data_or_null<double>(b), py = y.data<double>(), m, n, k,
                  bias_stride] {
                   reference::matmul<double>(left, transposed, {py, n, 1}, m, n, k, pb, bias_stride);
                 });
    if (slope != 1) return leaky_relu(y, slope);
  } else if (detail::is_small(m, n, k)) {
    profile::implementation("small");
    const MatrixView<const float> transposed{w.data<float>(), w.stride(1), w.stride(0)};
    capture::run("linear", {&rows, &w, &b}, {&y},
                 [left = view<float>(rows), transposed, pb = data_or_null<float>(b), py = y.data<float>(), m, n, k,
                  bias_stride, slope] {
                   multiply_small(left, transposed, py, m, n, k, pb, bias_stride);
                   finish_rows(py, nullptr, m, n, slope);
                 });
  } else {
    const Array left = readable(rows), right = readable(w), bias = b.defined() ? b.contiguous() : b;
    const MatrixView<const float> transposed{right.data<float>(), right.stride(1), right.stride(0)};
    capture::run(
        "linear", {&left, &right, &bias}, {&y},
        [left = view<float>(left), transposed, pb = data_or_null<float>(bias), py = y.data<float>(), m, n, k, slope] {
          const bool is_first = pb != nullptr && slope == 1;  // the product adds to the bias
          if (is_first) {
            parallel_for(m, 1 + kCopyGrain / n, [&](std::int64_t begin, std::int64_t end) {
              for (std::int64_t i = begin; i < end; ++i) std::copy_n(pb, n, py + i * n);
            });
          }
          multiply(left, transposed, py, m, n, k, is_first);
          if (!is_first) finish_rows(py, pb, m, n, slope);
        });
  }
  return y;
}

}  // namespace tandem::kernels
