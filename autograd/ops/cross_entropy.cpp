// Cross-entropy of logits against labels, with label smoothing (Szegedy et al. 2016) and an ignored label.
// Not here: softmax alone (softmax.cpp), losses against numbers (losses.cpp).
#include <fmt/format.h>

#include <tandem/core/kernels/softmax.h>

#include "common.h"

namespace tandem {

namespace {

/// What the loss compares with: q [B, C], and weight [B, 1], which is 1 / rows that count, or 0 for an ignored row.
struct Target {
  Array q, weight;
};

Target make_target(const Array& labels, const Shape& x, DType dtype, const CrossEntropyOptions& options) {
  const std::vector<std::int64_t> classes = labels.to_vector<std::int64_t>();
  const auto width = static_cast<std::size_t>(x[1]);
  const double off = options.label_smoothing / static_cast<double>(width);
  std::vector<double> q(classes.size() * width, off), weight(classes.size(), 0);
  double rows = 0;
  for (const std::int64_t label : classes) rows += label != options.ignore ? 1 : 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] == options.ignore) continue;
    q[i * width + static_cast<std::size_t>(classes[i])] += 1 - options.label_smoothing;
    weight[i] = 1 / rows;
  }
  return {Array::from(q, x).to(dtype), Array::from(weight, {x[0], 1}).to(dtype)};
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
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 1)) {
    fail("cross_entropy", fmt::format("label_smoothing is {}, must be in [0, 1)", options.label_smoothing));
  }
  Array log_probabilities;
  Array y = kernels::cross_entropy(logits, ops::value_of("cross_entropy", "labels", labels), options.label_smoothing,
                                   options.ignore, &log_probabilities);
  return record("cross_entropy", std::move(y), {x}, {x, Save(log_probabilities), Save(labels.value())},
                [options](const Tensor& dy, const Saved& saved, Needs) {
                  if (!is_recording()) {
                    const Array dx = kernels::cross_entropy_grad(dy.value(), saved[1].value(), saved[2].value(),
                                                                 options.label_smoothing, options.ignore);
                    return Grads{dx.to(saved[0].dtype())};  // bf16 logits are worked on in f32
                  }
                  const Target target = make_target(saved[2].value(), saved[0].shape(), dy.dtype(), options);
                  const Tensor wide = converted(saved[0], dy.dtype());
                  const Tensor dx = (softmax(wide, 1) - target.q) * (dy * target.weight);
                  return Grads{converted(dx, saved[0].dtype())};
                });
}

}  // namespace tandem
