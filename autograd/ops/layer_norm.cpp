// Layer normalisation (Ba et al. 2016). First order in one fused pass; while recording, the same with ops.
// Read next: core/kernels/layer_norm.h.
#include <tandem/core/kernels/layer_norm.h>

#include <fmt/format.h>

#include <tandem/autograd/sequence_ops.h>

#include "common.h"

namespace tandem {

namespace {

/// The gradients of layer_norm_grad written with ops.
Grads recorded_grads(const Tensor& dy, const Tensor& x, const Tensor& w, const Shape& shape, double epsilon,
                     Needs needs) {
  std::vector<int> last, rows;
  for (int dim = 0; dim < x.rank(); ++dim) (dim < x.rank() - shape.rank() ? rows : last).push_back(dim);
  const auto over_rows = [&](const Tensor& v) { return rows.empty() ? v : sum(v, rows); };
  const Tensor centred = x - mean(x, last, true);
  const Tensor inverse = pow(mean(square(centred), last, true) + epsilon, -0.5);
  const Tensor normalised = centred * inverse;
  const Tensor g = w.defined() ? dy * w : dy;
  Grads grads(3);
  grads[0] = inverse * (g - mean(g, last, true) - normalised * mean(g * normalised, last, true));
  if (needs[1]) grads[1] = over_rows(dy * normalised);
  if (needs[2]) grads[2] = over_rows(dy);
  return grads;
}

}  // namespace

/// y = xhat w + b, xhat = (x - mean) inv, inv = 1 / sqrt(var + epsilon), over the last dims
/// db = sum dy, dw = sum dy xhat over rows, dx = inv (g - mean(g) - xhat mean(g xhat)), g = dy w
Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b, const LayerNormOptions& options) {
  if (!(options.epsilon > 0)) fail("layer_norm", fmt::format("epsilon is {}, must be positive", options.epsilon));
  kernels::LayerNormForward forward =
      kernels::layer_norm(ops::floating("layer_norm", "x", x), w.defined() ? w.value() : Array(),
                          b.defined() ? b.value() : Array(), options.dims, options.epsilon);
  const Shape shape(x.shape().span().last(static_cast<std::size_t>(options.dims)));
  return record(
      "layer_norm", std::move(forward.y), {x, w, b}, {x, w, Save(forward.mean), Save(forward.inverse_deviation)},
      [options, shape](const Tensor& dy, const Saved& saved, Needs needs) {
        if (is_recording()) return recorded_grads(dy, saved[0], saved[1], shape, options.epsilon, needs);
        kernels::LayerNormGrads grads =
            kernels::layer_norm_grad(dy.value(), saved[0].value(), saved[1].defined() ? saved[1].value() : Array(),
                                     saved[2].value(), saved[3].value(), options.dims);
        return Grads{grads.dx, grads.dw, grads.db};
      });
}

}  // namespace tandem
