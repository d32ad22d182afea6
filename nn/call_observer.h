// ObserveCalls: sees every layer call of this thread while it lives. summary() is built on it; a search for the first
// layer whose output is not finite, or a profile by layer, is a few lines over it. Not here: the door itself
// (module.h).
#pragma once

#include <functional>

#include <tandem/autograd/tensor.h>

namespace tandem::nn {

class Module;

/// Called after each layer with its input and output, innermost layers first.
using CallObserver = std::function<void(Module& module, const Tensor& x, const Tensor& y)>;

/// While it lives, `observer` hears of every call of a Module on this thread; scopes nest and all of them hear.
class ObserveCalls {
 public:
  explicit ObserveCalls(CallObserver observer);
  ~ObserveCalls();
  ObserveCalls(const ObserveCalls&) = delete;
  ObserveCalls& operator=(const ObserveCalls&) = delete;

  /// Tells all scopes of this thread; called by Module's door.
  static void report(Module& module, const Tensor& x, const Tensor& y);

 private:
  CallObserver observer_;
  ObserveCalls* outer_;
};

}  // namespace tandem::nn
