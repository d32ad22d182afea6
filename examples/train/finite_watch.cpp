// The search repeats the model's call, which is why it must come before the weights change.
#include "finite_watch.h"

#include <fmt/format.h>

#include <vector>

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
    : model_(model),
      hook_(model.register_forward_hook([this](nn::Module&, const Tensor& x, const Tensor& y) { see(x, y); })) {}

void FiniteWatch::see(const Tensor& x, const Tensor& y) {
  if (!finding_.empty() || is_finite(y.value())) return;
  finding_ = fmt::format("the output of {} is not finite{}", describe_layer(model_, model_), bad_parameter(model_));
  std::string first;
  const NoGradGuard no_grad;
  std::vector<nn::HookHandle> hooks;
  for (const nn::NamedModule& below : model_.modules()) {
    hooks.push_back(below.module->register_forward_hook([&](nn::Module& layer, const Tensor&, const Tensor& output) {
      if (!first.empty() || is_finite(output.value())) return;
      first = fmt::format("{} is the first whose output is not finite{}", describe_layer(model_, layer),
                          bad_parameter(layer));
    }));
  }
  try {
    model_(x);
  } catch (const Error&) {
    return;  // a model that is called with more than x: its name is all there is to say
  }
  if (!first.empty()) finding_ = first;
}

std::string FiniteWatch::finding() const {
  return finding_.empty() ? "the outputs of the model are finite, the loss computed from them is not" : finding_;
}

}  // namespace tandem::train
