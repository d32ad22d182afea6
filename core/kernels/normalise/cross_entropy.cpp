// Cross-entropy on the maximum and the log-sum of each row, which is all that backward needs beside the logits; f32 for
// bf16 and f16 too. Losses of rows are summed in double, in row order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <tandem/core/capture.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/normalise/softmax_rows.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reduce/reduce_tiles.h>
#include <tandem/core/kernels/reference/softmax.h>
#include <tandem/core/kernels/vector_math.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

namespace math = vector_math;

/// What a row of losses is made of; log_p(c) = (x[c] - largest) - log_total.
struct RowOptions {
  std::int64_t classes;
  double smoothing;
};

/// largest and log_total of a row, and -sum_c q_c log_p(c).
template <class T>
struct Row {
  T largest, log_total;
  double loss;
};

template <class E>
TANDEM_TARGETS __attribute__((flatten)) Row<float> loss_of_row(const E* x, float* scratch, std::int64_t label,
                                                               const RowOptions& o) {
  const float largest = detail::exponentials(x, scratch, o.classes);
  const float log_total = std::log(detail::row_sum(scratch, o.classes));
  const auto log_p = [&](std::int64_t c) {
    return static_cast<double>((static_cast<float>(x[c]) - largest) - log_total);
  };
  double loss = -(1 - o.smoothing) * log_p(label);
  if (o.smoothing != 0) {
    double total = 0;
    for (std::int64_t c = 0; c < o.classes; ++c) total += log_p(c);
    loss -= o.smoothing / static_cast<double>(o.classes) * total;
  }
  return {largest, log_total, loss};
}

Row<double> loss_of_row(const double* x, float*, std::int64_t label, const RowOptions& o) {
  const auto [largest, log_total] = reference::log_sum_exp(x, o.classes);
  double loss = -(1 - o.smoothing) * ((x[label] - largest) - log_total), total = 0;
  for (std::int64_t c = 0; c < o.classes && o.smoothing != 0; ++c) total += (x[c] - largest) - log_total;
  if (o.smoothing != 0) loss -= o.smoothing / static_cast<double>(o.classes) * total;
  return {largest, log_total, loss};
}

/// What is subtracted from the softmax of each class, and of the label as well, before all is scaled.
struct Target {
  double scale, share, of_label;
  std::int64_t label;
};

/// dx_c = scale (softmax_c - share), less scale of_label at the label.
template <class E>
TANDEM_TARGETS __attribute__((flatten)) void grad_row(const E* x, const float* log_sums, std::int64_t n,
                                                      const Target& t, E* dx) {
  const float largest = log_sums[0], log_total = log_sums[1], scale = static_cast<float>(t.scale),
              share = static_cast<float>(t.share), target = static_cast<float>(t.scale * t.of_label);
  const auto at = [&](std::int64_t c) {
    return scale * (math::exp((static_cast<float>(x[c]) - largest) - log_total) - share);
  };
  for (std::int64_t c = 0; c < n; ++c) dx[c] = E(at(c));
  if constexpr (std::is_same_v<E, float>)
    dx[t.label] -= target;
  else
    dx[t.label] = E(at(t.label) - target);
}

void grad_row(const double* x, const double* log_sums, std::int64_t n, const Target& t, double* dx) {
  for (std::int64_t c = 0; c < n; ++c) dx[c] = t.scale * (std::exp((x[c] - log_sums[0]) - log_sums[1]) - t.share);
  dx[t.label] -= t.scale * t.of_label;
}

/// Labels in one piece.
Array checked_labels(const char* where, const Array& x, const Array& labels) {
  require_floating(where, "x", x);
  require_defined(where, "labels", labels);
  require_dtype(where, "labels", labels, DType::i64);
  if (x.rank() != 2 || labels.rank() != 1 || labels.shape(0) != x.shape(0)) {
    fail(where, "x must be [B, C] and labels [B]",
         fmt::format("x {}, labels {}", to_string(x.shape()), to_string(labels.shape())),
         x.rank() > 2 ? "reshape x to [-1, C] and labels to [-1]" : "");
  }
  return labels.contiguous();
}

/// How many labels are not ignored, each of which is checked.
std::int64_t count_labels(const char* where, const std::int64_t* labels, std::int64_t rows, std::int64_t classes,
                          std::int64_t ignore) {
  std::int64_t counted = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (labels[row] == ignore) continue;
    if (labels[row] < 0 || labels[row] >= classes) {
      fail(where, "label out of range", fmt::format("row {} has {}, classes are 0..{}", row, labels[row], classes - 1));
    }
    ++counted;
  }
  if (counted == 0) {
    fail(where, "no row counts",
         rows == 0 ? "labels [0]" : fmt::format("all {} labels are {}, which is ignored", rows, ignore));
  }
  return counted;
}

void require_smoothing(const char* where, double smoothing) {
  if (smoothing >= 0 && smoothing <= 1) return;
  fail(where, fmt::format("smoothing is {}, must be in [0, 1]", smoothing), "0 is none");
}

/// f(element, wide element) for the dtypes of x and of its losses.
template <class F>
void visit_floating(DType dtype, F&& f) {
  if (dtype == DType::f64) return f(double{}, double{});
  visit_narrow(dtype, [&]<class E>(E element) { f(element, float{}); });
}

}  // namespace

Array cross_entropy(const Array& x, const Array& labels, double smoothing, std::int64_t ignore, Array* log_sums) {
  const profile::KernelScope profiled("cross_entropy", x.dtype(), [&] { return profile::moves(x); });
  const char* where = "cross_entropy";
  require_smoothing(where, smoothing);
  const Array checked = checked_labels(where, x, labels), in = x.contiguous();
  const std::int64_t rows = x.shape(0), classes = x.shape(1);
  const DType wide = work_dtype(x.dtype());
  Array sums = Array::empty({rows, 2}, wide), losses = Array::empty({rows}, DType::f64), y = Array::empty({}, wide);
  visit_floating(x.dtype(), [&]<class E, class Wide>(E, Wide) {
    const std::int64_t* const label = checked.data<std::int64_t>();
    capture::run(where, {&in, &checked}, {&sums, &losses, &y},
                 [=, px = in.data<E>(), to = sums.data<Wide>(), loss = losses.data<double>(), py = y.data<Wide>()] {
                   const auto counted = static_cast<double>(count_labels(where, label, rows, classes, ignore));
                   detail::each_part(rows, classes, [&](std::int64_t begin, std::int64_t end, float* scratch) {
                     for (std::int64_t row = begin; row < end; ++row) {
                       const bool counts = label[row] != ignore;
                       const auto r = loss_of_row(px + row * classes, scratch, counts ? label[row] : 0,
                                                  RowOptions{classes, smoothing});
                       to[2 * row] = r.largest;
                       to[2 * row + 1] = r.log_total;
                       loss[row] = counts ? r.loss : 0;
                     }
                   });
                   double total = 0;
                   for (std::int64_t row = 0; row < rows; ++row) total += loss[row];
                   *py = static_cast<Wide>(total / counted);
                 });
  });
  if (log_sums != nullptr) *log_sums = sums;
  return y;
}

Array cross_entropy_grad(const Array& dy, const Array& x, const Array& log_sums, const Array& labels, double smoothing,
                         std::int64_t ignore) {
  const profile::KernelScope profiled("cross_entropy_grad", x.dtype(), [&] { return profile::moves(x, x); });
  const char* where = "cross_entropy_grad";
  const DType wide = work_dtype(x.dtype());
  require_defined(where, "dy", dy);
  require_smoothing(where, smoothing);
  const Array checked = checked_labels(where, x, labels);
  require_dtype(where, "log_sums", log_sums, wide);
  const std::int64_t rows = x.shape(0), classes = x.shape(1);
  if (!(log_sums.shape() == Shape{rows, 2}))
    fail(where, "log_sums must be [B, 2]",
         fmt::format("log_sums {}, x {}", log_sums.shape().to_string(), x.shape().to_string()));
  if (dy.size() != 1) fail(where, "dy must be a number", "dy " + to_string(dy.shape()));
  const Array in = x.contiguous(), sums = log_sums.contiguous(), scale_of = dy.to(wide);
  Array dx = Array::empty(x.shape(), x.dtype());
  visit_floating(x.dtype(), [&]<class E, class Wide>(E, Wide) {
    const std::int64_t* const label = checked.data<std::int64_t>();
    const Wide *const log_sum = sums.data<Wide>(), *const seed = scale_of.data<Wide>();
    capture::run(where, {&scale_of, &in, &sums, &checked}, {&dx}, [=, px = in.data<E>(), out = dx.data<E>()] {
      const auto counted = static_cast<double>(count_labels(where, label, rows, classes, ignore));
      const double scale = static_cast<double>(*seed) / counted, share = smoothing / static_cast<double>(classes);
      parallel_for(rows, detail::row_grain(classes), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          E* const to = out + row * classes;
          if (label[row] == ignore) {
            std::fill_n(to, classes, E(0));
            continue;
          }
          grad_row(px + row * classes, log_sum + 2 * row, classes, Target{scale, share, 1 - smoothing, label[row]}, to);
        }
      });
    });
  });
  return dx;
}

}  // namespace tandem::kernels
