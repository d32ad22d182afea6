// How often a classifier is right: counts for a batch, the share over all batches. Not here: which classes it takes for
// each other (confusion_matrix.h), image quality and BLEU (data/).
#pragma once

#include <cstdint>

#include <tandem/autograd/record.h>
#include <tandem/nn/behaviour_scope.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// Rows of logits [N, C] whose largest value stands at the label; labels i64 [N]. Equal values: the lower class comes
/// first. A row with a NaN counts as wrong. Throws Error when shapes do not fit or a label is not in [0, C).
std::int64_t count_correct(const Tensor& logits, const Array& labels);

/// Rows whose label is among the k largest values. Throws Error when k is not in [1, C].
std::int64_t top_k_correct(const Tensor& logits, const Array& labels, std::int64_t k);

namespace detail {
double share(std::int64_t correct, std::int64_t count);  // throws Error when count is 0
}

/// The share of examples that `model` classifies right, in [0, 1]; evaluation behaviour while it runs, no gradients.
/// `batches` is anything that a loop takes whose elements have .images and .labels, such as a Loader.
///   const double test_accuracy = accuracy(model, test);
template <class Batches>
double accuracy(Module& model, Batches&& batches) {
  const NoGradGuard no_grad;
  const BehaviourScope scope(model);
  model.evaluate();
  std::int64_t correct = 0, count = 0;
  for (const auto& batch : batches) {
    correct += count_correct(model(batch.images), batch.labels);
    count += batch.labels.size();
  }
  return detail::share(correct, count);
}

}  // namespace tandem::nn
