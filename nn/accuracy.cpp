// See accuracy.h.
#include <tandem/nn/accuracy.h>

#include <cmath>

#include <fmt/format.h>

namespace tandem::nn {

namespace {

void check(const Tensor& logits, const Array& labels, std::int64_t k) {
  if (!logits.defined() || !labels.defined()) fail("accuracy", "logits or labels are not defined");
  if (logits.rank() != 2 || labels.dtype() != DType::i64 || labels.shape() != Shape{logits.shape(0)}) {
    fail("accuracy", "logits must be [N, C] and labels i64 [N]",
         fmt::format("logits {}, labels {} {}", to_string(logits.shape()), name(labels.dtype()),
                     to_string(labels.shape())));
  }
  if (k < 1 || k > logits.shape(1)) fail("accuracy", fmt::format("k is {}, must be in [1, {}]", k, logits.shape(1)));
}

/// Classes that come before `label` in a row; `count` where the row has a NaN.
std::int64_t rank_of(const double* row, std::int64_t count, std::int64_t label) {
  std::int64_t before = 0;
  for (std::int64_t c = 0; c < count; ++c) {
    if (std::isnan(row[c])) return count;
    if (row[c] > row[label] || (row[c] == row[label] && c < label)) ++before;
  }
  return before;
}

}  // namespace

std::int64_t count_correct(const Tensor& logits, const Array& labels) { return top_k_correct(logits, labels, 1); }

std::int64_t top_k_correct(const Tensor& logits, const Array& labels, std::int64_t k) {
  check(logits, labels, k);
  const std::int64_t classes = logits.shape(1);
  const std::vector<double> values = logits.value().to_vector<double>();
  const std::vector<std::int64_t> right = labels.to_vector<std::int64_t>();
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (right[i] < 0 || right[i] >= classes)
      fail("accuracy", "a label names no class", fmt::format("label {} of row {}, {} classes", right[i], i, classes));
    const double* row = values.data() + i * static_cast<std::size_t>(classes);
    if (rank_of(row, classes, right[i]) < k) ++correct;
  }
  return correct;
}

double detail::share(std::int64_t correct, std::int64_t count) {
  if (count == 0) fail("accuracy", "there is no example to measure on");
  return static_cast<double>(correct) / static_cast<double>(count);
}

}  // namespace tandem::nn
