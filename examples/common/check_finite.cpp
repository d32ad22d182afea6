// The search for the first layer whose output is not finite, over the calls of one forward pass.
#include "check_finite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/nn/call_observer.h>

namespace tandem::examples {
namespace {

template <class T>
bool all_finite(const Array& array) {
  const std::vector<T> values = array.to_vector<T>();
  return std::all_of(values.begin(), values.end(), [](T value) { return std::isfinite(static_cast<double>(value)); });
}

std::string path_of(nn::Module& model, const nn::Module& layer) {
  for (const nn::NamedModule& entry : model.modules())
    if (entry.module == &layer) return entry.name;
  return {};
}

std::string describe_layer(nn::Module& model, const nn::Module& layer) {
  const std::string path = path_of(model, layer);
  return path.empty() ? fmt::format("the model {}", layer.describe())
                      : fmt::format("layer \"{}\" {}", path, layer.describe());
}

}  // namespace

bool is_finite(const Array& array) {
  if (array.dtype() == DType::f32) return all_finite<float>(array);
  return !is_floating(array.dtype()) || all_finite<double>(array);
}

std::string first_not_finite(nn::Module& model, const std::function<void()>& forward) {
  std::string finding;
  {
    const NoGradGuard no_grad;
    const nn::ObserveCalls observe([&](nn::Module& layer, const Tensor&, const Tensor& y) {
      if (!finding.empty() || is_finite(y.value())) return;
      finding = fmt::format("{} is the first whose output is not finite", describe_layer(model, layer));
      for (const NamedTensor& parameter : layer.parameters())
        if (!is_finite(parameter.tensor.value())) {
          finding += fmt::format(" (its {} is not)", parameter.name);
          break;
        }
    });
    forward();
  }
  return finding.empty() ? "the outputs of all layers are finite, the loss computed from them is not" : finding;
}

void fail_not_finite(std::int64_t step, const std::string& metric, double value, nn::Module& model,
                     const std::function<void()>& forward) {
  fail(fmt::format("step {}", step), fmt::format("{} is {}", metric, value), first_not_finite(model, forward),
       "a smaller lr, a warm-up or clip_norm may help");
}

}  // namespace tandem::examples
