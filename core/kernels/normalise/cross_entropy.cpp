// Cross-entropy on log-softmax, which is f32 for bf16 and f16 too; losses of rows are summed in double, in row order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/normalise/softmax_rows.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/vector_math.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

namespace math = vector_math;

TANDEM_TARGETS __attribute__((flatten)) void cross_entropy_grad_row(const float* log_p, float* dx, std::int64_t n,
                                                                    float scale, float share) {
  for (std::int64_t i = 0; i < n; ++i) dx[i] = scale * (math::exp(log_p[i]) - share);
}

// Labels in one piece, each checked; and how many are not ignored.
struct Labels {
  Array array;
  std::int64_t counted = 0;
};

Labels checked_labels(const char* where, const Array& x, const Array& labels, std::int64_t ignore) {
  require_floating(where, "x", x);
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

Array cross_entropy(const Array& x, const Array& labels, double smoothing, std::int64_t ignore,
                    Array* log_probabilities) {
  const profile::KernelScope profiled("cross_entropy", x.dtype(), [&] { return profile::moves(x, x); });
  require_smoothing("cross_entropy", smoothing);
  const Labels checked = checked_labels("cross_entropy", x, labels, ignore);
  const Array log_p = detail::log_softmax_as(x, 1, work_dtype(x.dtype())).contiguous();
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
