// Products of the Hessian of a loss with vectors, by double backward: H v = d(g . v) / d parameters, g = d loss / d
// parameters (Pearlmutter 1994, "Fast exact multiplication by the Hessian"). One product costs about two backwards and
// never makes the matrix. Not here: eigenvalues and traces on top of it. Read next: backward.h.
#pragma once

#include <functional>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

/// The Hessian of one loss: the gradient is taken once, then multiplied with as many vectors as are wanted.
///
///   const Hessian hessian(loss, {w, b});
///   std::vector<Array> hv = hessian.times({vw, vb});
class Hessian {
 public:
  /// Throws Error when `loss` is not a scalar with history, when there are no parameters, or when one of them asks for
  /// no gradient. Keeps the graph of the loss; the gradients in the parameters stay as they are.
  Hessian(const Tensor& loss, std::vector<Tensor> parameters);

  /// H v: one Array a parameter, dense, of its shape and dtype; zeros where the gradient does not depend on it.
  /// Throws Error when v has another number, shape or dtype, or a parameter was changed since.
  std::vector<Array> times(const std::vector<Array>& vectors) const;

  /// d loss / d parameters, zeros where the loss does not depend on one.
  std::vector<Array> gradients() const;

 private:
  std::vector<Tensor> parameters_, gradients_;  // with history; undefined where the loss does not depend on one
};

/// H v of a loss that is there.
std::vector<Array> hessian_vector_product(const Tensor& loss, const std::vector<Tensor>& parameters,
                                          const std::vector<Array>& vectors);
/// H v of a loss that is computed for this: the closure is called once, while recording.
std::vector<Array> hessian_vector_product(const std::function<Tensor()>& loss, const std::vector<Tensor>& parameters,
                                          const std::vector<Array>& vectors);

}  // namespace tandem
