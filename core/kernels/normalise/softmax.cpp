// Softmax and log-softmax. Rows are worked on where they lie when the dim has stride 1 and rows follow
// each other, as those of channels-last images do; otherwise the dim is moved to the end first. Vectorised and threaded
// over rows, computed in f32; f64 through reference/softmax.h.
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/normalise/softmax_rows.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/capture.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/reference/softmax.h>
#include <tandem/core/kernels/vector_math.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

namespace math = vector_math;
using detail::as_floats, detail::exponentials, detail::row_sum;

/// A row of floats to work in: the row of results where it is of floats, else `scratch`.
template <class E>
TANDEM_INLINE float* work_row(E* y, float* scratch) {
  if constexpr (std::is_same_v<E, float>) return y;
  return scratch;
}

// Rows of x become rows of y; scratch [n] where a row is not of floats.
template <class E>
TANDEM_TARGETS __attribute__((flatten)) void softmax_rows(const E* x, E* y, float* scratch, std::int64_t rows,
                                                          std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    float* e = work_row(y, scratch);
    exponentials(x, e, n);
    const float scale = 1.0F / row_sum(e, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = E(e[i] * scale);
  }
}

template <class E>
TANDEM_TARGETS __attribute__((flatten)) void log_softmax_rows(const E* x, E* y, float* scratch, std::int64_t rows,
                                                              std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    float* e = work_row(y, scratch);
    const float largest = exponentials(x, e, n);
    const float log_total = std::log(row_sum(e, n));
    for (std::int64_t i = 0; i < n; ++i) y[i] = E((static_cast<float>(x[i]) - largest) - log_total);
  }
}

template <class E>
TANDEM_TARGETS __attribute__((flatten)) void softmax_grad_rows(const E* dy, const E* y, E* dx, float* scratch,
                                                               std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    float* products = work_row(dx, scratch);
    for (std::int64_t i = 0; i < n; ++i) products[i] = static_cast<float>(dy[i]) * static_cast<float>(y[i]);
    const float total = row_sum(products, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] = E(static_cast<float>(y[i]) * (static_cast<float>(dy[i]) - total));
  }
}

template <class E>
TANDEM_TARGETS __attribute__((flatten)) void log_softmax_grad_rows(const E* dy, const E* y, E* dx, float* scratch,
                                                                   std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    const float* wide = as_floats(dy, scratch, n);
    const float total = row_sum(wide, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] = E(wide[i] - math::exp(static_cast<float>(y[i])) * total);
  }
}

// The dims of x with `dim` at the end.
std::vector<int> dim_last(int rank, int dim) {
  std::vector<int> dims;
  for (int d = 0; d < rank; ++d)
    if (d != dim) dims.push_back(d);
  dims.push_back(dim);
  return dims;
}

/// Results that lie as x does, or row by row: then `finish` brings them into the shape and memory order of x.
class Rows {
 public:
  Rows(const Array& x, int dim) : like_(x), dims_(dim_last(x.rank(), dim)) {
    in_place_ = x.size() > 0 && x.permute(dims_).is_contiguous();
  }
  /// The rows of x, or of another input of its shape.
  Array read(const Array& x) const {
    const bool lies_alike = in_place_ && x.strides() == like_.strides();
    return lies_alike ? x : in_place_ ? copied(x) : x.permute(dims_).contiguous();
  }
  Array make(DType dtype) const {
    return in_place_ ? Array::empty_like(like_, dtype) : Array::empty(like_.permute(dims_).shape(), dtype);
  }
  Array finish(const Array& rows) const {
    if (in_place_) return rows;
    Array y = Array::empty(like_.shape(), rows.dtype(), like_.layout());
    if (y.size() > 0) y.permute(dims_).copy_from(rows);
    return y;
  }

 private:
  Array copied(const Array& x) const {
    Array y = Array::empty_like(like_, x.dtype());
    y.copy_from(x);
    return y;
  }

  const Array& like_;
  std::vector<int> dims_;
  bool in_place_;
};

// fast(x, y, scratch, rows, n) for narrow floats, naive(x, y, rows, n) for f64.
template <class Fast, class Naive>
Array map_rows(const char* where, const Array& x, int dim, Fast fast, Naive naive) {
  const profile::KernelScope profiled(where, x.dtype(), [&] { return profile::moves(x, x); });
  require_floating(where, "x", x);
  const int d = normalize_dim(where, dim, x.rank());
  const Rows rows(x, d);
  const Array in = rows.read(x);
  Array out = rows.make(x.dtype());
  const std::int64_t n = x.shape(d);
  if (x.size() == 0) return rows.finish(out);
  if (x.dtype() == DType::f64) {
    capture::run(where, {&in}, {&out}, [naive, p = in.data<double>(), q = out.data<double>(), size = in.size(), n] {
      naive(p, q, size / n, n);
    });
    return rows.finish(out);
  }
  visit_narrow(x.dtype(), [&]<class E>(E) {
    capture::run(where, {&in}, {&out}, [fast, p = in.data<E>(), q = out.data<E>(), size = in.size(), n] {
      detail::each_part(size / n, n, [&](std::int64_t begin, std::int64_t end, float* scratch) {
        fast(p + begin * n, q + begin * n, scratch, end - begin, n);
      });
    });
  });
  return rows.finish(out);
}

template <class Fast, class Naive>
Array map_grad_rows(const char* where, const Array& dy, const Array& y, int dim, Fast fast, Naive naive) {
  const profile::KernelScope profiled(where, dy.dtype(), [&] { return profile::moves(dy, y, y); });
  require_floating(where, "dy", dy);
  require_floating(where, "y", y);
  if (!(dy.shape() == y.shape()) || dy.dtype() != y.dtype()) {
    fail(where, "dy and y differ",
         fmt::format("dy {} {}, y {} {}", name(dy.dtype()), to_string(dy.shape()), name(y.dtype()),
                     to_string(y.shape())));
  }
  const int d = normalize_dim(where, dim, y.rank());
  const Rows rows(y, d);
  const Array dy_rows = rows.read(dy), y_rows = rows.read(y);
  Array out = rows.make(y.dtype());
  const std::int64_t n = y.shape(d);
  if (y.size() == 0) return rows.finish(out);
  if (out.dtype() == DType::f64) {
    capture::run(where, {&dy_rows, &y_rows}, {&out},
                 [naive, p = dy_rows.data<double>(), q = y_rows.data<double>(), r = out.data<double>(),
                  size = out.size(), n] { naive(p, q, r, size / n, n); });
    return rows.finish(out);
  }
  visit_narrow(y.dtype(), [&]<class E>(E) {
    capture::run(where, {&dy_rows, &y_rows}, {&out},
                 [fast, p = dy_rows.data<E>(), q = y_rows.data<E>(), r = out.data<E>(), size = out.size(), n] {
                   detail::each_part(size / n, n, [&](std::int64_t begin, std::int64_t end, float* scratch) {
                     fast(p + begin * n, q + begin * n, r + begin * n, scratch, end - begin, n);
                   });
                 });
  });
  return rows.finish(out);
}

}  // namespace

Array softmax(const Array& x, int dim) {
  return map_rows(
      "softmax", x, dim, [](auto... rows) { softmax_rows(rows...); }, reference::softmax<double>);
}

Array log_softmax(const Array& x, int dim) {
  return map_rows(
      "log_softmax", x, dim, [](auto... rows) { log_softmax_rows(rows...); }, reference::log_softmax<double>);
}

Array softmax_grad(const Array& dy, const Array& y, int dim) {
  return map_grad_rows(
      "softmax_grad", dy, y, dim, [](auto... rows) { softmax_grad_rows(rows...); }, reference::softmax_grad<double>);
}

Array log_softmax_grad(const Array& dy, const Array& y, int dim) {
  return map_grad_rows(
      "log_softmax_grad", dy, y, dim, [](auto... rows) { log_softmax_grad_rows(rows...); },
      reference::log_softmax_grad<double>);
}

}  // namespace tandem::kernels
