// LSTM: a whole layer as one recurrence, and one step written with ops. Read next: core/kernels/lstm.h.
// The recurrence gives outputs and last states as one Array [T + 2, B, H], of which the results are slices.
#include <tandem/core/kernels/lstm.h>

#include <tandem/autograd/sequence_ops.h>

#include "common.h"
#include "recurrent.h"

namespace tandem {

namespace {

Array value_or_none(const Tensor& x) { return x.defined() ? x.value() : Array(); }

/// x [T, B, 4 H] with both biases -> h_t of all steps, last h, last c
/// dx_t = back through time; dw = sum dx_t^T h_{t-1}
Tensor recurrence(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w, const RecurrentOptions& options) {
  kernels::LstmForward forward = kernels::lstm(x.value(), value_or_none(h), value_or_none(c), w.value(), options);
  return record("lstm", std::move(forward.y), {x, h, c, w},
                {Save::output(), Save(forward.gates), Save(forward.cells), w, value_or_none(h), value_or_none(c)},
                [options](const Tensor& dy, const Saved& saved, Needs needs) {
                  const auto value = [&](std::size_t i) { return value_or_none(saved[i]); };
                  const kernels::LstmForward left{saved[0].value(), saved[1].value(), saved[2].value()};
                  const kernels::LstmGrads grads = kernels::lstm_grad(dy.value(), left, value(5), value(3), options);
                  const Array dw =
                      needs[3] ? kernels::recurrent_weight_grad(grads.dx, left.y, value(4), options) : Array();
                  return Grads{grads.dx, grads.dh, grads.dc, needs[3] ? Tensor(dw) : Tensor{}};
                },
                {.twice_differentiable = false});
}

}  // namespace

RecurrentResult lstm(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor& b_ih, const Tensor& b_hh, const RecurrentOptions& options) {
  ops::check_layer("lstm", 4, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}, {"c", c}});
  const Tensor bias = b_ih.defined() && b_hh.defined() ? b_ih + b_hh : b_ih.defined() ? b_ih : b_hh;
  const Tensor all = recurrence(linear(x, w_ih, bias), h, c, w_hh, options);
  const std::int64_t T = x.shape(0);
  const Shape state{all.shape(1), all.shape(2)};
  return {slice(all, 0, 0, T), reshape(slice(all, 0, T, T + 1), state), reshape(slice(all, 0, T + 1, T + 2), state)};
}

RecurrentResult lstm_cell(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                          const Tensor& b_ih, const Tensor& b_hh) {
  ops::check_cell("lstm_cell", 4, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}, {"c", c}});
  const Tensor z = linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh);  // (B, 4 H)
  const std::int64_t H = w_hh.shape(1);
  const auto gate = [&](std::int64_t g) { return slice(z, 1, g * H, (g + 1) * H); };
  const Tensor cell = sigmoid(gate(1)) * c + sigmoid(gate(0)) * tanh(gate(2));
  const Tensor y = sigmoid(gate(3)) * tanh(cell);
  return {y, y, cell};
}

}  // namespace tandem
