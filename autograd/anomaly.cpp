// Looking at every value while a DetectAnomaly lives. See anomaly.h.
#include <tandem/autograd/anomaly.h>

#include <cmath>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

namespace tandem {

namespace {

thread_local bool is_on = false, is_inside_backward = false;
thread_local AnomalyOptions in_force;
LayerNames& layers() {
  static thread_local LayerNames names;
  return names;
}

/// "nan at [1, 0]" of the first that is not finite, in logical order; empty when all are.
std::string anomaly_of(const Array& x) {
  if (!x.defined() || !is_floating(x.dtype()) || kernels::all_finite(x)) return {};
  const std::vector<double> values = x.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_bad = in_force.infinity ? !std::isfinite(values[i]) : std::isnan(values[i]);
    if (!is_bad) continue;
    std::vector<std::int64_t> index(static_cast<std::size_t>(x.rank()));
    std::int64_t position = static_cast<std::int64_t>(i);
    for (int dim = x.rank() - 1; dim >= 0; --dim) {
      index[static_cast<std::size_t>(dim)] = position % x.shape(dim);
      position /= x.shape(dim);
    }
    const char* what = std::isnan(values[i]) ? "nan" : values[i] > 0 ? "inf" : "-inf";
    return fmt::format("{} at [{}]", what, fmt::join(index, ", "));
  }
  return {};
}

std::string shapes_of(std::span<const Tensor> tensors) {
  std::string text;
  for (const Tensor& x : tensors) {
    if (x.defined()) text += (text.empty() ? "" : ", ") + to_string(x.shape());
  }
  return text;
}

[[noreturn]] void fail_in(const LayerNames* names, const std::string& where, const std::string& what,
                          const std::string& facts, const std::string& remedy) {
  try {
    fail(where, what, facts, remedy);
  } catch (Error& error) {
    if (names == nullptr) throw;
    for (auto layer = names->rbegin(); layer != names->rend(); ++layer) {
      error.enter_layer(layer->name, layer->description);
    }
    throw;
  }
}

constexpr const char* kElsewhere = "no op made it: look at the data, the parameters and what was computed elsewhere";

}  // namespace

DetectAnomaly::DetectAnomaly(const AnomalyOptions& options) : was_on_(is_on), before_(in_force) {
  is_on = true;
  in_force = options;
}

DetectAnomaly::~DetectAnomaly() {
  is_on = was_on_;
  in_force = before_;
}

bool is_detecting_anomalies() { return is_on; }

LayerScope::LayerScope(std::string name, std::string description) {
  layers().push_back({std::move(name), std::move(description)});
}

LayerScope::~LayerScope() { layers().pop_back(); }

namespace detail {

const LayerNames& current_layers() { return layers(); }

void check_forward(const char* op, const Array& y, std::span<const Tensor> inputs) {
  if (is_inside_backward) return;
  const std::string found = anomaly_of(y);
  if (found.empty()) return;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string before = inputs[i].defined() ? anomaly_of(inputs[i].value()) : std::string();
    if (before.empty()) continue;
    fail(op, "an input is not finite", fmt::format("input {} {} has {}", i, to_string(inputs[i].shape()), before),
         kElsewhere);
  }
  fail(op, "makes a value that is not finite",
       fmt::format("y {} has {}, inputs {} are finite", to_string(y.shape()), found, shapes_of(inputs)));
}

void check_arrived(const char* op, const Tensor& dy, const LayerNames* names) {
  const std::string found = anomaly_of(dy.value());
  if (found.empty()) return;
  fail_in(names, fmt::format("backward of {}", op), "the gradient that arrives is not finite",
          fmt::format("dy {} has {}", to_string(dy.shape()), found),
          "no op made it: look at the seed, at hooks, and at gradients whose sum is too large");
}

void check_backward(const char* op, const Tensor& dy, std::span<const Tensor> grads, const LayerNames* names) {
  for (std::size_t i = 0; i < grads.size(); ++i) {
    const std::string found = grads[i].defined() ? anomaly_of(grads[i].value()) : std::string();
    if (found.empty()) continue;
    fail_in(names, fmt::format("backward of {}", op), "makes a gradient that is not finite",
            fmt::format("of input {} {} has {}, dy {} is finite", i, to_string(grads[i].shape()), found,
                        to_string(dy.shape())),
            {});
  }
}

InsideBackward::InsideBackward() : before_(is_inside_backward) { is_inside_backward = true; }

InsideBackward::~InsideBackward() { is_inside_backward = before_; }

}  // namespace detail

}  // namespace tandem
