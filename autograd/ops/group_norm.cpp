// Group normalisation (Wu & He 2018): statistics of each example by itself. Read next:
// core/kernels/normalise/group_norm.h.
#include <tandem/core/kernels/normalise/group_norm.h>

#include "common.h"

namespace tandem {

using ops::floating;

namespace {

/// The value written with ops.
Tensor definition(const std::vector<Tensor>& in, const GroupNormOptions& options) {
  const Tensor &x = in[0], &w = in[1], &b = in[2];
  Shape channels = Shape::filled(x.rank(), 1);
  channels[1] = x.shape(1);
  const Tensor rows = reshape(x, {x.shape(0), options.groups, -1});  // one group, one row
  const Tensor centred = rows - mean(rows, {2}, true);
  const Tensor normalised = centred * pow(mean(square(centred), {2}, true) + options.epsilon, -0.5);
  const Tensor y = reshape(normalised, x.shape()) * reshape(w, channels);
  return b.defined() ? y + reshape(b, channels) : y;
}

}  // namespace

/// y = xhat w + b, xhat = (x - mean_g) inv_g, inv_g = 1 / sqrt(var_g + epsilon), over the channels of group g and
/// places dw = sum dy xhat, db = sum dy, dx = inv_g (h - mean_g(h) - xhat mean_g(h xhat)), h = dy w
Tensor group_norm(const Tensor& x, const Tensor& w, const Tensor& b, const GroupNormOptions& options) {
  kernels::GroupNormForward forward =
      kernels::group_norm(floating("group_norm", "x", x), options.groups, floating("group_norm", "w", w),
                          floating("group_norm", "b", b), options.epsilon);
  return record(
      "group_norm", std::move(forward.y), {x, w, b},
      {x, w, Save(std::move(forward.mean)), Save(std::move(forward.inverse_deviation))},
      [](const Tensor& dy, const Saved& saved, Needs) {
        kernels::GroupNormGrads grads = kernels::group_norm_grad(dy.value(), saved[0].value(), saved[1].value(),
                                                                 saved[2].value(), saved[3].value());
        return Grads{grads.dx, grads.dw, grads.db};
      },
      {.definition = [options](const std::vector<Tensor>& in, const Saved&) { return definition(in, options); }});
}

}  // namespace tandem
