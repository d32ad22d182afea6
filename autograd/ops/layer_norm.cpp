// Layer normalisation (Ba et al. 2016).
// Read next: core/kernels/normalise/layer_norm.h.
#include <tandem/core/kernels/normalise/layer_norm.h>

#include <tandem/autograd/remade.h>
#include <tandem/autograd/sequence_ops.h>

#include "common.h"

namespace tandem {

namespace {

/// The value written with ops.
Tensor definition(const std::vector<Tensor>& in, const LayerNormOptions& options) {
  const Tensor &x = in[0], &w = in[1], &b = in[2];
  std::vector<int> last;
  for (int dim = x.rank() - options.dims; dim < x.rank(); ++dim) last.push_back(dim);
  const Tensor centred = x - mean(x, last, true);
  Tensor y = centred * pow(mean(square(centred), last, true) + options.epsilon, -0.5);
  if (w.defined()) y = y * w;
  return b.defined() ? y + b : y;
}

}  // namespace

/// y = xhat w + b, xhat = (x - mean) inv, inv = 1 / sqrt(var + epsilon), over the last dims
/// db = sum dy, dw = sum dy xhat over rows, dx = inv (g - mean(g) - xhat mean(g xhat)), g = dy w
Tensor layer_norm(const Tensor& x, const Tensor& w, const Tensor& b, const LayerNormOptions& options) {
  const Array scale = w.defined() ? w.value() : Array(), shift = b.defined() ? b.value() : Array();
  kernels::LayerNormForward forward =
      kernels::layer_norm(ops::floating("layer_norm", "x", x), scale, shift, options.dims, options.epsilon);
  Tensor y = record(
      "layer_norm", std::move(forward.y), {x, w, b}, {x, w, Save(forward.mean), Save(forward.inverse_deviation)},
      [options](const Tensor& dy, const Saved& saved, Needs) {
        kernels::LayerNormGrads grads =
            kernels::layer_norm_grad(dy.value(), saved[0].value(), saved[1].defined() ? saved[1].value() : Array(),
                                     saved[2].value(), saved[3].value(), options.dims);
        return Grads{grads.dx, grads.dw, grads.db};
      },
      {.definition = [options](const std::vector<Tensor>& in, const Saved&) { return definition(in, options); }});
  // One pass over rows beside the product that reads them: worth it sooner than where a function is computed anew.
  constexpr std::int64_t kLarge = std::int64_t{1} << 20;
  const bool has_scale = scale.defined(), has_shift = shift.defined();
  ops::remake(
      y, {&x.value(), &scale, &shift},
      [=](const std::vector<Array>& of) {
        return kernels::layer_norm(of[0], has_scale ? of[1] : Array(), has_shift ? of.back() : Array(), options.dims,
                                   options.epsilon)
            .y;
      },
      kLarge);
  return y;
}

}  // namespace tandem
