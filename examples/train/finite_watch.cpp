// The search, by nn's observer of calls; innermost layers are heard of first.
#include "finite_watch.h"

#include <fmt/format.h>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise.h>

namespace tandem::train {
namespace {

std::string describe_layer(nn::Module& model, const nn::Module& layer) {
  for (const nn::NamedModule& entry : model.modules())
    if (entry.module == &layer && !entry.name.empty())
      return fmt::format("layer \"{}\" {}", entry.name, layer.describe());
  return fmt::format("the model {}", layer.describe());
}

/// The parameter of the layer that is not finite, in brackets; empty where all are.
std::string bad_parameter(const nn::Module& layer) {
  for (const NamedTensor& parameter : layer.parameters())
    if (!is_finite(parameter.tensor.value())) return fmt::format(" (its {} is not)", parameter.name);
  return {};
}

}  // namespace

bool is_finite(const Array& array) { return !is_floating(array.dtype()) || kernels::all_finite(array); }

FiniteWatch::FiniteWatch(nn::Module& model)
    : model_(model), observe_([this](nn::Module& layer, const Tensor& x, const Tensor& y) { see(layer, x, y); }) {}

void FiniteWatch::search(bool on) {
  is_searching_ = on;
  has_looked_ = has_looked_ || !on;
}

void FiniteWatch::see(nn::Module& layer, const Tensor& x, const Tensor& y) {
  const bool is_evaluation = &layer == &model_ && !model_.is_training();
  if (!finding_.empty() || (!is_searching_ && !is_evaluation) || is_finite(y.value())) return;
  const std::string who = describe_layer(model_, layer), why = bad_parameter(layer);
  if (!is_searching_) {
    const NoGradGuard no_grad;
    search(true);
    try {
      model_(x);
    } catch (const Error&) {  // called with more than x: its name is all there is to say
    }
    search(false);
  }
  if (finding_.empty() && is_searching_)
    finding_ = fmt::format("{} is the first whose output is not finite{}", who, why);
  if (finding_.empty()) finding_ = fmt::format("the output of {} is not finite{}", who, why);
}

std::string FiniteWatch::finding() const {
  return finding_.empty() ? "the outputs of all layers are finite, the loss computed from them is not" : finding_;
}

}  // namespace tandem::train
