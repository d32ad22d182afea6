// GRU: a whole layer as one node, and one step written with ops. Read next: core/kernels/recurrent/gru.h.
// The recurrence gives outputs and last state as one Array [T + 1, B, H], of which the results are slices.
#include <tandem/core/kernels/recurrent/gru.h>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/reduce/reduce.h>

#include "common.h"
#include "recurrent.h"

namespace tandem {

namespace {

Array value_or_none(const Tensor& x) { return x.defined() ? x.value() : Array(); }

/// One step from both projections [B, 3 H], of x and of h.
Tensor step(const Tensor& in, const Tensor& state, const Tensor& h) {
  const std::int64_t H = h.shape(1);
  const auto gate = [&](const Tensor& v, std::int64_t g) { return slice(v, 1, g * H, (g + 1) * H); };
  const Tensor r = sigmoid(gate(in, 0) + gate(state, 0)), z = sigmoid(gate(in, 1) + gate(state, 1));
  const Tensor n = tanh(gate(in, 2) + r * gate(state, 2));
  return (1 - z) * n + z * h;
}

/// x [T, B, I] -> h_t of all steps, last h; of bf16 x with f32 weights the products with x alone are in bf16
/// dx_t, dz_t = back through time; dw_hh = sum dz_t^T h_{t-1}, db_hh = sum dz_t; dx, dw_ih, db_ih as those of the
/// projection
Tensor layer(const Tensor& x, const Tensor& w_ih, const Tensor& b_ih, const Tensor& h, const Tensor& w_hh,
             const Tensor& b_hh, const RecurrentOptions& options) {
  const Array in = ops::linear_value(x, w_ih, b_ih, w_hh.dtype());
  kernels::GruForward forward = kernels::gru(in, value_or_none(h), w_hh.value(), value_or_none(b_hh), options);
  return record(
      "gru", std::move(forward.y), {x, w_ih, b_ih, h, w_hh, b_hh},
      {x, w_ih, h, w_hh, b_hh, Save::output(), Save(forward.gates), b_ih},
      [options, projection = ops::LinearGrads(x, w_ih, b_ih)](const Tensor& dy, const Saved& saved, Needs needs) {
        const Array h0 = value_or_none(saved[2]);
        const kernels::GruForward left{saved[5].value(), saved[6].value()};
        const kernels::GruGrads grads = kernels::gru_grad(dy.value(), left, h0, saved[3].value(), options);
        Grads all = projection(grads.dx, saved[0], saved[1], needs);
        all.append({grads.dh, Tensor{}, Tensor{}});
        if (needs[4]) all[4] = kernels::recurrent_weight_grad(grads.dz, left.y, h0, options);
        if (needs[5]) all[5] = kernels::sum(grads.dz, {0, 1});
        return all;
      },
      {.definition = [options](const std::vector<Tensor>& given, const Saved&) {
        const Tensor &w = given[4], &b = given[5];
        return ops::unrolled(linear(given[0], given[1], given[2]), w.shape(1), {given[3]}, options,
                             [&](const Tensor& z, const std::vector<Tensor>& states) {
                               return std::vector<Tensor>{step(z, linear(states[0], w, b), states[0])};
                             });
      }});
}

}  // namespace

RecurrentResult gru(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                    const Tensor& b_hh, const RecurrentOptions& options) {
  ops::check_layer("gru", 3, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}});
  const Tensor all = layer(ops::autocasted(x), w_ih, b_ih, h, w_hh, b_hh, options);
  const std::int64_t T = x.shape(0);
  return {slice(all, 0, 0, T), reshape(slice(all, 0, T, T + 1), {all.shape(1), all.shape(2)}), {}};
}

RecurrentResult gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                         const Tensor& b_hh) {
  ops::check_cell("gru_cell", 3, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}});
  const Tensor y = step(linear(x, w_ih, b_ih), linear(h, w_hh, b_hh), h);
  return {y, y, {}};
}

}  // namespace tandem
