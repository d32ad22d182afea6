// Images in another size: linear in x, so op and transpose are each other's gradient.
#include <tandem/core/kernels/pool/upsample2d.h>

#include "common.h"

namespace tandem {

using ops::floating;

/// y = each place from its nearest place of x, or from the four round it;  dx = upsample2d_grad(dy), the transpose
Tensor upsample2d(const Tensor& x, const Upsample2dOptions& options) {
  return record("upsample2d", kernels::upsample2d(floating("upsample2d", "x", x), options), {x}, {},
                [options, shape = x.shape()](const Tensor& dy, const Saved&, Needs) {
                  return Grads{upsample2d_grad(dy, shape, options)};
                });
}

/// dx = dy spread over the places it was made from;  its gradient is upsample2d again
Tensor upsample2d_grad(const Tensor& dy, const Shape& x, const Upsample2dOptions& options) {
  return record("upsample2d_grad", kernels::upsample2d_grad(floating("upsample2d_grad", "dy", dy), x, options), {dy},
                {}, [options](const Tensor& g, const Saved&, Needs) { return Grads{upsample2d(g, options)}; });
}

}  // namespace tandem
