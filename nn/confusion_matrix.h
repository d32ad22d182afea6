// ConfusionMatrix: how often which class was taken for which. Not here: the share that is right alone (accuracy.h).
//   ConfusionMatrix matrix(10);
//   for (const auto& [images, labels] : test) matrix.add(model(images), labels);
//   std::cout << matrix.to_string(test.dataset().classes);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem::nn {

class ConfusionMatrix {
 public:
  /// Throws Error when classes is below 1.
  explicit ConfusionMatrix(std::int64_t classes);

  /// logits [N, classes], labels i64 [N]; the class chosen is that of argmax. Throws Error when they do not fit, or a
  /// label names no class; then nothing is counted.
  void add(const Tensor& logits, const Array& labels);

  std::int64_t classes() const { return classes_; }
  /// Examples of class `truth` that were taken for `chosen`.
  std::int64_t count(std::int64_t truth, std::int64_t chosen) const;
  /// All examples.
  std::int64_t total() const;
  /// The share that was right; NaN without examples.
  double accuracy() const;
  /// Of the examples of a class, the share that was found: count(c, c) / sum_j count(c, j); NaN without examples.
  double recall(std::int64_t c) const;
  /// Of the examples taken for a class, the share that was right: count(c, c) / sum_i count(i, c); NaN where none was.
  double precision(std::int64_t c) const;

  /// A table, a row a true class, with recall at its end, precision below, and the accuracy. Names: one a class, or
  /// none: numbers. Throws Error for another number of names.
  std::string to_string(const std::vector<std::string>& names = {}) const;

 private:
  std::int64_t classes_;
  std::vector<std::int64_t> counts_;  // [truth][chosen]
};

}  // namespace tandem::nn
