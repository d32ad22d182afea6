// Group normalisation (Wu & He 2018): statistics of each example by itself. Read next: core/kernels/group_norm.h.
#include <tandem/core/kernels/group_norm.h>

#include "common.h"

namespace tandem {

using ops::floating;

namespace {

/// The gradients of kernels::group_norm_grad written with ops, for create_graph.
Grads recorded_grads(const Tensor& dy, const Tensor& x, const Tensor& w, const GroupNormOptions& options) {
  const Shape rows{x.shape(0), options.groups, x.size() / (x.shape(0) * options.groups)};  // one group, one row
  Shape channels = Shape::filled(x.rank(), 1);
  channels[1] = x.shape(1);
  std::vector<int> others{0};
  for (int dim = 2; dim < x.rank(); ++dim) others.push_back(dim);

  const Tensor values = reshape(x, rows);
  const Tensor centred = values - mean(values, {2}, true);
  const Tensor inverse_deviation = pow(mean(square(centred), {2}, true) + options.epsilon, -0.5);
  const Tensor normalised = centred * inverse_deviation;
  const Tensor h = reshape(dy * reshape(w, channels), rows);
  const Tensor dx = inverse_deviation * (h - mean(h, {2}, true) - normalised * mean(h * normalised, {2}, true));
  return Grads{reshape(dx, x.shape()), sum(dy * reshape(normalised, x.shape()), others), sum(dy, others)};
}

}  // namespace

/// y = xhat w + b, xhat = (x - mean_g) inv_g, inv_g = 1 / sqrt(var_g + epsilon), over the channels of group g and
/// places dw = sum dy xhat, db = sum dy, dx = inv_g (h - mean_g(h) - xhat mean_g(h xhat)), h = dy w
Tensor group_norm(const Tensor& x, const Tensor& w, const Tensor& b, const GroupNormOptions& options) {
  kernels::GroupNormForward forward =
      kernels::group_norm(floating("group_norm", "x", x), options.groups, floating("group_norm", "w", w),
                          floating("group_norm", "b", b), options.epsilon);
  return record("group_norm", std::move(forward.y), {x, w, b},
                {x, w, Save(std::move(forward.mean)), Save(std::move(forward.inverse_deviation))},
                [options](const Tensor& dy, const Saved& saved, Needs) {
                  if (is_recording()) return recorded_grads(dy, saved[0], saved[1], options);
                  kernels::GroupNormGrads grads = kernels::group_norm_grad(
                      dy.value(), saved[0].value(), saved[1].value(), saved[2].value(), saved[3].value());
                  return Grads{grads.dx, grads.dw, grads.db};
                });
}

}  // namespace tandem
