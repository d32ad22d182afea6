// DetectAnomaly: while one lives in a thread, the op that makes the first NaN or infinity is named, in forward and in
// backward, with its shapes and its layer. Costs nothing when off, and reads every value once when on.
//
//   const DetectAnomaly detect;
//   loss(model(x)).backward();
//     layer "head.fc" Linear(64 -> 10): log: makes a value that is not finite: y [8, 10] has -inf at [0, 3] ...
//
// Not here: watching losses and weights over a training run. Read next: record.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

struct AnomalyOptions {
  bool infinity = true;  ///< false: only NaN is an anomaly, for models that work with infinities (masks by -inf)
};

class DetectAnomaly {
 public:
  explicit DetectAnomaly(const AnomalyOptions& options = {});
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  bool was_on_;
  AnomalyOptions before_;
};

/// True while a DetectAnomaly lives in this thread.
bool is_detecting_anomalies();

/// A layer as errors name it: its name in its parent, and what it is.
struct LayerName {
  std::string name, description;
};
/// From the outermost to the innermost.
using LayerNames = std::vector<LayerName>;

/// The layer whose forward runs in this scope; nn makes one in each call while anomalies are detected, so that an error
/// in backward names the layer that recorded the op.
class LayerScope {
 public:
  LayerScope(std::string name, std::string description);
  ~LayerScope();
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;
};

namespace detail {
const LayerNames& current_layers();
/// Throws Error when y, which `op` made from the inputs, is not finite; says so when an input was not before.
void check_forward(const char* op, const Array& y, std::span<const Tensor> inputs);
/// Throws Error when dy is not finite; `op` is where it arrived.
void check_arrived(const char* op, const Tensor& dy, const LayerNames* layers);
/// Throws Error when a gradient that the backward of `op` made from dy is not finite.
void check_backward(const char* op, const Tensor& dy, std::span<const Tensor> grads, const LayerNames* layers);

/// Inside a backward the ops that it is written with are not checked: the gradients are, as one.
class InsideBackward {
 public:
  InsideBackward();
  ~InsideBackward();
  InsideBackward(const InsideBackward&) = delete;
  InsideBackward& operator=(const InsideBackward&) = delete;

 private:
  bool before_;
};
}  // namespace detail

}  // namespace tandem
