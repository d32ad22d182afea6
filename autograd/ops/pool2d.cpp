// Pooling over H and W. Each pooling is linear once its places are chosen: op and transpose are each other's gradient.
#include <tandem/core/kernels/pool/pool2d.h>

#include "common.h"

namespace tandem {

using ops::floating;

/// y = the largest of each window;  dx = dy added at the chosen places
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  auto [y, chosen] = kernels::max_pool2d(floating("max_pool2d", "x", x), options);
  return record("max_pool2d", std::move(y), {x}, {Save(std::move(chosen))},
                [options, shape = x.shape()](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{max_pool2d_grad(dy, saved[0].value(), shape, options)};
                });
}

/// dx[chosen place of o] += dy[o];  its gradient reads the chosen places
Tensor max_pool2d_grad(const Tensor& dy, const Array& chosen, const Shape& x, const Pool2dOptions& options) {
  Array dx = kernels::max_pool2d_grad(floating("max_pool2d_grad", "dy", dy), chosen, x, options);
  return record("max_pool2d_grad", std::move(dx), {dy}, {Save(chosen)},
                [options](const Tensor& g, const Saved& saved, Needs) {
                  return Grads{max_pool2d_take(g, saved[0].value(), options)};
                });
}

/// y[o] = x[chosen place of o];  dx = max_pool2d_grad(dy)
Tensor max_pool2d_take(const Tensor& x, const Array& chosen, const Pool2dOptions& options) {
  Array y = kernels::max_pool2d_take(floating("max_pool2d_take", "x", x), chosen, options);
  return record("max_pool2d_take", std::move(y), {x}, {Save(chosen)},
                [options, shape = x.shape()](const Tensor& dy, const Saved& saved, Needs) {
                  return Grads{max_pool2d_grad(dy, saved[0].value(), shape, options)};
                });
}

/// y = the mean of each window;  dx = dy / window, added over the windows
Tensor average_pool2d(const Tensor& x, const Pool2dOptions& options) {
  Array y = kernels::average_pool2d(floating("average_pool2d", "x", x), options);
  return record("average_pool2d", std::move(y), {x}, {},
                [options, shape = x.shape()](const Tensor& dy, const Saved&, Needs) {
                  return Grads{average_pool2d_grad(dy, shape, options)};
                });
}

/// The transpose of average_pool2d;  its gradient pools again
Tensor average_pool2d_grad(const Tensor& dy, const Shape& x, const Pool2dOptions& options) {
  Array dx = kernels::average_pool2d_grad(floating("average_pool2d_grad", "dy", dy), x, options);
  return record("average_pool2d_grad", std::move(dx), {dy}, {},
                [options](const Tensor& g, const Saved&, Needs) { return Grads{average_pool2d(g, options)}; });
}

namespace {

/// dx = dy / (H W), repeated;  its gradient pools again
Tensor global_average_pool2d_grad(const Tensor& dy, const Shape& x) {
  return record("global_average_pool2d_grad", kernels::global_average_pool2d_grad(dy.value(), x), {dy}, {},
                [](const Tensor& g, const Saved&, Needs) { return Grads{global_average_pool2d(g)}; });
}

}  // namespace

/// y[n,c] = mean of x[n,c,:,:];  dx = dy / (H W), repeated
Tensor global_average_pool2d(const Tensor& x) {
  return record("global_average_pool2d", kernels::global_average_pool2d(floating("global_average_pool2d", "x", x)), {x},
                {}, [shape = x.shape()](const Tensor& dy, const Saved&, Needs) {
                  return Grads{global_average_pool2d_grad(dy, shape)};
                });
}

}  // namespace tandem
