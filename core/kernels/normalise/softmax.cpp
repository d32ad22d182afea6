// Softmax, log-softmax and cross-entropy. Rows are worked on where they lie when the dim has stride 1 and rows follow
// each other; otherwise the dim is moved to the end first. f32 vectorised and threaded over rows, f64 through
// reference/softmax.h, bf16 as f32.
#include <tandem/core/kernels/normalise/softmax.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/reference/softmax.h>
#include <tandem/core/kernels/vector_math.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

namespace math = vector_math;

TANDEM_INLINE float row_max(const float* x, std::int64_t n) {
  return detail::strip<detail::Max>(x, n, 1, detail::Max::kIdentity<float>);
}

TANDEM_INLINE float row_sum(const float* x, std::int64_t n) {
  return static_cast<float>(detail::strip<detail::Sum>(x, n, 1, 0));
}

TANDEM_TARGETS __attribute__((flatten)) void softmax_rows(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float largest = row_max(x, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = math::exp(x[i] - largest);
    const float scale = 1.0F / row_sum(y, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] *= scale;
  }
}

TANDEM_TARGETS __attribute__((flatten)) void log_softmax_rows(const float* x, float* y, std::int64_t rows,
                                                              std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float largest = row_max(x, n);
    for (std::int64_t i = 0; i < n; ++i) y[i] = math::exp(x[i] - largest);
    const float log_total = std::log(row_sum(y, n));
    for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - largest) - log_total;
  }
}

TANDEM_TARGETS __attribute__((flatten)) void softmax_grad_rows(const float* dy, const float* y, float* dx,
                                                               std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    for (std::int64_t i = 0; i < n; ++i) dx[i] = dy[i] * y[i];
    const float total = row_sum(dx, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] = y[i] * (dy[i] - total);
  }
}

TANDEM_TARGETS __attribute__((flatten)) void log_softmax_grad_rows(const float* dy, const float* y, float* dx,
                                                                   std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    const float total = row_sum(dy, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] = dy[i] - math::exp(y[i]) * total;
  }
}

TANDEM_TARGETS __attribute__((flatten)) void cross_entropy_grad_row(const float* log_p, float* dx, std::int64_t n,
                                                                    float scale, float share) {
  for (std::int64_t i = 0; i < n; ++i) dx[i] = scale * (math::exp(log_p[i]) - share);
}

void require_rows(const char* where, const char* what, const Array& x) {
  require_defined(where, what, x);
  if (!is_floating(x.dtype())) {
    fail(where, "needs floating numbers", fmt::format("{} is {}", what, name(x.dtype())), "convert with to()");
  }
}

// dim at the end, row-major, in f32 or f64.
Array as_rows(const Array& x, int dim) {
  const Array wide = x.dtype() == DType::bf16 ? x.to(DType::f32) : x;
  return wide.transpose(dim, -1).contiguous();
}

// Results in the rows of `rows` go back to the shape, memory order and dtype of x.
Array from_rows(const Array& rows, const Array& x, int dim) {
  if (rows.dtype() == x.dtype() && dim == x.rank() - 1 && x.is_contiguous()) return rows;
  Array y = Array::empty(x.shape(), x.dtype(), x.layout());
  if (x.size() > 0) y.copy_from(rows.transpose(dim, -1));
  return y;
}

// fast(x, y, rows, n) for f32, naive(x, y, rows, n) for f64.
template <class Fast, class Naive>
Array map_rows(const char* where, const Array& x, int dim, Fast fast, Naive naive) {
  const profile::KernelScope profiled(where, x.dtype(), [&] { return profile::moves(x, x); });
  require_rows(where, "x", x);
  const int d = normalize_dim(where, dim, x.rank());
  const Array in = as_rows(x, d);
  Array out = Array::empty(in.shape(), in.dtype());
  const std::int64_t n = x.shape(d);
  if (x.size() == 0) return from_rows(out, x, d);
  if (in.dtype() == DType::f64) {
    naive(in.data<double>(), out.data<double>(), in.size() / n, n);
  } else {
    const float* p = in.data<float>();
    float* q = out.data<float>();
    parallel_for(in.size() / n, detail::row_grain(n),
                 [&](std::int64_t begin, std::int64_t end) { fast(p + begin * n, q + begin * n, end - begin, n); });
  }
  return from_rows(out, x, d);
}

template <class Fast, class Naive>
Array map_grad_rows(const char* where, const Array& dy, const Array& y, int dim, Fast fast, Naive naive) {
  const profile::KernelScope profiled(where, dy.dtype(), [&] { return profile::moves(dy, y, y); });
  require_rows(where, "dy", dy);
  require_rows(where, "y", y);
  if (!(dy.shape() == y.shape()) || dy.dtype() != y.dtype()) {
    fail(where, "dy and y differ",
         fmt::format("dy {} {}, y {} {}", name(dy.dtype()), to_string(dy.shape()), name(y.dtype()),
                     to_string(y.shape())));
  }
  const int d = normalize_dim(where, dim, y.rank());
  const Array dy_rows = as_rows(dy, d), y_rows = as_rows(y, d);
  Array out = Array::empty(y_rows.shape(), y_rows.dtype());
  const std::int64_t n = y.shape(d);
  if (y.size() == 0) return from_rows(out, y, d);
  if (out.dtype() == DType::f64) {
    naive(dy_rows.data<double>(), y_rows.data<double>(), out.data<double>(), out.size() / n, n);
  } else {
    const float *p = dy_rows.data<float>(), *q = y_rows.data<float>();
    float* r = out.data<float>();
    parallel_for(out.size() / n, detail::row_grain(n), [&](std::int64_t begin, std::int64_t end) {
      fast(p + begin * n, q + begin * n, r + begin * n, end - begin, n);
    });
  }
  return from_rows(out, y, d);
}

// Labels in one piece, each checked; and how many are not ignored.
struct Labels {
  Array array;
  std::int64_t counted = 0;
};

Labels checked_labels(const char* where, const Array& x, const Array& labels, std::int64_t ignore) {
  require_rows(where, "x", x);
  require_defined(where, "labels", labels);
  require_dtype(where, "labels", labels, DType::i64);
  if (x.rank() != 2 || labels.rank() != 1 || labels.shape(0) != x.shape(0)) {
    fail(where, "x must be [B, C] and labels [B]",
         fmt::format("x {}, labels {}", to_string(x.shape()), to_string(labels.shape())),
         x.rank() > 2 ? "reshape x to [-1, C] and labels to [-1]" : "");
  }
  Labels result{labels.contiguous()};
  const std::int64_t* values = result.array.data<std::int64_t>();
  for (std::int64_t row = 0; row < labels.size(); ++row) {
    if (values[row] == ignore) continue;
    if (values[row] < 0 || values[row] >= x.shape(1)) {
      fail(where, "label out of range",
           fmt::format("row {} has {}, classes are 0..{}", row, values[row], x.shape(1) - 1));
    }
    ++result.counted;
  }
  if (result.counted == 0) {
    fail(where, "no row counts",
         labels.size() == 0 ? "labels [0]"
                            : fmt::format("all {} labels are {}, which is ignored", labels.size(), ignore));
  }
  return result;
}

// The sum of the losses of rows, in double and in row order.
template <class T>
double sum_losses(const T* log_p, const std::int64_t* labels, std::int64_t rows, std::int64_t classes, double smoothing,
                  std::int64_t ignore) {
  std::vector<double> losses(static_cast<std::size_t>(rows), 0.0);
  parallel_for(rows, detail::row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (labels[row] == ignore) continue;
      const T* p = log_p + row * classes;
      double loss = -(1 - smoothing) * static_cast<double>(p[labels[row]]);
      if (smoothing != 0) {
        double total = 0;
        for (std::int64_t c = 0; c < classes; ++c) total += static_cast<double>(p[c]);
        loss -= smoothing / static_cast<double>(classes) * total;
      }
      losses[static_cast<std::size_t>(row)] = loss;
    }
  });
  double total = 0;
  for (const double loss : losses) total += loss;
  return total;
}

void require_smoothing(const char* where, double smoothing) {
  if (smoothing >= 0 && smoothing <= 1) return;
  fail(where, fmt::format("smoothing is {}, must be in [0, 1]", smoothing), "0 is none");
}

}  // namespace

Array softmax(const Array& x, int dim) { return map_rows("softmax", x, dim, softmax_rows, reference::softmax<double>); }

Array log_softmax(const Array& x, int dim) {
  return map_rows("log_softmax", x, dim, log_softmax_rows, reference::log_softmax<double>);
}

Array softmax_grad(const Array& dy, const Array& y, int dim) {
  return map_grad_rows("softmax_grad", dy, y, dim, softmax_grad_rows, reference::softmax_grad<double>);
}

Array log_softmax_grad(const Array& dy, const Array& y, int dim) {
  return map_grad_rows("log_softmax_grad", dy, y, dim, log_softmax_grad_rows, reference::log_softmax_grad<double>);
}

Array cross_entropy(const Array& x, const Array& labels, double smoothing, std::int64_t ignore,
                    Array* log_probabilities) {
  const profile::KernelScope profiled("cross_entropy", x.dtype(), [&] { return profile::moves(x, x); });
  require_smoothing("cross_entropy", smoothing);
  const Labels checked = checked_labels("cross_entropy", x, labels, ignore);
  const Array wide = x.dtype() == DType::bf16 ? x.to(DType::f32) : x;
  const Array log_p = log_softmax(wide, 1).contiguous();
  const std::int64_t* values = checked.array.data<std::int64_t>();
  const std::int64_t rows = x.shape(0), classes = x.shape(1);
  const double total = log_p.dtype() == DType::f64
                           ? sum_losses(log_p.data<double>(), values, rows, classes, smoothing, ignore)
                           : sum_losses(log_p.data<float>(), values, rows, classes, smoothing, ignore);
  if (log_probabilities != nullptr) *log_probabilities = log_p;
  return Array::scalar(total / static_cast<double>(checked.counted), log_p.dtype());
}

Array cross_entropy_grad(const Array& dy, const Array& log_probabilities, const Array& labels, double smoothing,
                         std::int64_t ignore) {
  const profile::KernelScope profiled("cross_entropy_grad", log_probabilities.dtype(),
                                      [&] { return profile::moves(log_probabilities, log_probabilities); });
  const char* where = "cross_entropy_grad";
  require_defined(where, "dy", dy);
  require_smoothing(where, smoothing);
  const Labels checked = checked_labels(where, log_probabilities, labels, ignore);
  const Array log_p = log_probabilities.contiguous();
  const std::int64_t* values = checked.array.data<std::int64_t>();
  const std::int64_t rows = log_p.shape(0), classes = log_p.shape(1);
  const double scale = dy.item() / static_cast<double>(checked.counted);
  const double share = smoothing / static_cast<double>(classes);
  Array dx = Array::empty(log_p.shape(), log_p.dtype());
  const auto each_row = [&](auto* out, const auto* in, auto write_row) {
    using T = std::remove_pointer_t<decltype(out)>;
    parallel_for(rows, detail::row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        T* to = out + row * classes;
        if (values[row] == ignore) {
          std::fill_n(to, classes, T(0));
          continue;
        }
        write_row(in + row * classes, to);
        to[values[row]] -= static_cast<T>(scale * (1 - smoothing));
      }
    });
  };
  if (log_p.dtype() == DType::f64) {
    each_row(dx.data<double>(), log_p.data<double>(), [&](const double* p, double* to) {
      for (std::int64_t c = 0; c < classes; ++c) to[c] = scale * (std::exp(p[c]) - share);
    });
  } else {
    each_row(dx.data<float>(), log_p.data<float>(), [&](const float* p, float* to) {
      cross_entropy_grad_row(p, to, classes, static_cast<float>(scale), static_cast<float>(share));
    });
  }
  return dx;
}

}  // namespace tandem::kernels
