// Cross-entropy of logits against labels, with label smoothing (Szegedy et al. 2016) and an ignored label.
// Not here: softmax alone (softmax.cpp), losses against numbers (losses.cpp).
#include <algorithm>

#include <tandem/core/kernels/normalise/softmax.h>

#include "common.h"

namespace tandem {

namespace {

/// q_ic / rows that count [B, C]: zeros in the rows of ignored labels.
Array weighted_target(const Array& labels, const Shape& x, DType dtype, const CrossEntropyOptions& options) {
  const std::vector<std::int64_t> classes = labels.to_vector<std::int64_t>();
  const auto width = static_cast<std::size_t>(x[1]);
  double rows = 0;
  for (const std::int64_t label : classes) rows += label != options.ignore ? 1 : 0;
  std::vector<double> q(classes.size() * width, options.label_smoothing / static_cast<double>(width) / rows);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    double* row = q.data() + i * width;
    if (classes[i] == options.ignore) {
      std::fill_n(row, width, 0);
    } else {
      row[classes[i]] += (1 - options.label_smoothing) / rows;
    }
  }
  return Array::from(q, x).to(dtype);
}

/// The same numbers in another dtype: its own transpose.
Tensor converted(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return record("to", x.value().to(dtype), {x}, {},
                [from = x.dtype()](const Tensor& dy, const Saved&, Needs) { return Grads{converted(dy, from)}; });
}

}  // namespace

/// y = -mean_i sum_c q_ic log_softmax(x)_ic, q = (1 - s) onehot(label) + s / C;  dx = dy (softmax(x) - q) / rows
Tensor cross_entropy(const Tensor& x, const Tensor& labels, const CrossEntropyOptions& options) {
  const Array& logits = ops::floating("cross_entropy", "x", x);
  Array log_sums;
  Array y = kernels::cross_entropy(logits, ops::value_of("cross_entropy", "labels", labels), options.label_smoothing,
                                   options.ignore, &log_sums);
  return record("cross_entropy", std::move(y), {x}, {x, Save(log_sums), Save(labels.value())},
                [options](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{kernels::cross_entropy_grad(dy.value(), saved[0].value(), saved[1].value(),
                                                           saved[2].value(), options.label_smoothing, options.ignore)};
                },
                {.definition = [options](const std::vector<Tensor>& in, const Saved& saved) {
                  const DType wide = saved[1].dtype();
                  const Tensor q = weighted_target(saved[2].value(), in[0].shape(), wide, options);
                  return negate(sum(log_softmax(converted(in[0], wide), 1) * q));
                }});
}

}  // namespace tandem
