// LSTM: a whole layer as one node, and one step written with ops. Read next: core/kernels/recurrent/lstm.h.
// The recurrence gives outputs and last states as one Array [T + 2, B, H], of which the results are slices.
#include <tandem/core/kernels/recurrent/lstm.h>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/product/matmul.h>

#include "common.h"
#include "recurrent.h"

namespace tandem {

namespace {

Array value_or_none(const Tensor& x) { return x.defined() ? x.value() : Array(); }

/// One step from z [B, 4 H], the sum of both projections: h' and c'.
std::vector<Tensor> step(const Tensor& z, const Tensor& c) {
  const std::int64_t H = c.shape(1);
  const auto gate = [&](std::int64_t g) { return slice(z, 1, g * H, (g + 1) * H); };
  const Tensor cell = sigmoid(gate(1)) * c + sigmoid(gate(0)) * tanh(gate(2));
  return {sigmoid(gate(3)) * tanh(cell), cell};
}

/// x [T, B, I] -> h_t of all steps, last h, last c; of bf16 x with f32 weights the products with x alone are in bf16
/// dz_t = back through time; dw_hh = sum dz_t^T h_{t-1}; dx, dw_ih, db as those of the projection z = x w_ih^T + b
Tensor layer(const Tensor& x, const Tensor& w_ih, const Tensor& b, const Tensor& h, const Tensor& c, const Tensor& w_hh,
             const RecurrentOptions& options) {
  const Array z = ops::linear_value(x, w_ih, b, w_hh.dtype());
  kernels::LstmForward forward = kernels::lstm(z, value_or_none(h), value_or_none(c), w_hh.value(), options);
  return record(
      "lstm", std::move(forward.y), {x, w_ih, b, h, c, w_hh},
      {x, w_ih, h, c, w_hh, Save::output(), Save(forward.gates), Save(forward.cells), b},
      [options, projection = ops::LinearGrads(x, w_ih, b)](const Tensor& dy, const Saved& saved, Needs needs) {
        const auto value = [&](std::size_t i) { return value_or_none(saved[i]); };
        const kernels::LstmForward left{value(5), value(6), value(7)};
        const kernels::LstmGrads grads = kernels::lstm_grad(dy.value(), left, value(3), value(4), options);
        Grads all = projection(grads.dx, saved[0], saved[1], needs);
        all.append({grads.dh, grads.dc, Tensor{}});
        if (needs[5]) all[5] = kernels::recurrent_weight_grad(grads.dx, left.y, value(2), options);
        return all;
      },
      {.definition = [options](const std::vector<Tensor>& in, const Saved&) {
        const Tensor& w = in[5];
        return ops::unrolled(linear(in[0], in[1], in[2]), w.shape(1), {in[3], in[4]}, options,
                             [&w](const Tensor& z_t, const std::vector<Tensor>& states) {
                               return step(z_t + linear(states[0], w), states[1]);
                             });
      }});
}

}  // namespace

RecurrentResult lstm(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor& b_ih, const Tensor& b_hh, const RecurrentOptions& options) {
  ops::check_layer("lstm", 4, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}, {"c", c}});
  const Tensor bias = b_ih.defined() && b_hh.defined() ? b_ih + b_hh : b_ih.defined() ? b_ih : b_hh;
  const Tensor all = layer(ops::autocasted(x), w_ih, bias, h, c, w_hh, options);
  const std::int64_t T = x.shape(0);
  const Shape state{all.shape(1), all.shape(2)};
  return {slice(all, 0, 0, T), reshape(slice(all, 0, T, T + 1), state), reshape(slice(all, 0, T + 1, T + 2), state)};
}

RecurrentResult lstm_cell(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                          const Tensor& b_ih, const Tensor& b_hh) {
  ops::check_cell("lstm_cell", 4, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}, {"c", c}});
  const std::vector<Tensor> next = step(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh), c);
  return {next[0], next[0], next[1]};
}

}  // namespace tandem
