// Arrivals: who wants to know, while backward goes on, that the gradient of a leaf is complete: its last use in that
// graph has given its part. Means of gradients over several processes begin with it (optim/engine/gradient_mean.h).
// Not here: hooks, which may change gradients (gradient_hook.h).
#pragma once

#include <functional>

namespace tandem {

struct TensorState;

/// While one lives, `f` is called in every backward() of this thread for each leaf, right after its gradient has the
/// parts of all its uses in that graph; in the order in which they come. An exception of `f` goes on to the caller of
/// backward(). The innermost of several is asked.
class Arrivals {
 public:
  using Function = std::function<void(const TensorState* leaf)>;

  explicit Arrivals(Function f);
  ~Arrivals();
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  /// Of this thread; null where nobody wants to know.
  static const Function* asked();

 private:
  Function f_;
  const Function* outside_;
};

}  // namespace tandem
