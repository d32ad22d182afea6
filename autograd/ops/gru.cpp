// GRU: a whole layer as one recurrence, and one step written with ops. Read next: core/kernels/gru.h.
// The recurrence gives outputs and last state as one Array [T + 1, B, H], of which the results are slices.
#include <tandem/core/kernels/gru.h>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/reduce.h>

#include "common.h"
#include "recurrent.h"

namespace tandem {

namespace {

Array value_or_none(const Tensor& x) { return x.defined() ? x.value() : Array(); }

/// x [T, B, 3 H] with its bias -> h_t of all steps, last h
/// dx_t, dz_t = back through time; dw = sum dz_t^T h_{t-1}, db = sum dz_t
Tensor recurrence(const Tensor& x, const Tensor& h, const Tensor& w, const Tensor& b, const RecurrentOptions& options) {
  kernels::GruForward forward = kernels::gru(x.value(), value_or_none(h), w.value(), value_or_none(b), options);
  return record("gru", std::move(forward.y), {x, h, w, b}, {Save::output(), Save(forward.gates), w, value_or_none(h)},
                [options](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Array h0 = value_or_none(saved[3]);
                  const kernels::GruForward left{saved[0].value(), saved[1].value()};
                  const kernels::GruGrads grads = kernels::gru_grad(dy.value(), left, h0, saved[2].value(), options);
                  Tensor dw, db;
                  if (needs[2]) dw = kernels::recurrent_weight_grad(grads.dz, left.y, h0, options);
                  if (needs[3]) db = kernels::sum(grads.dz, {0, 1});
                  return Grads{grads.dx, grads.dh, dw, db};
                },
                {.twice_differentiable = false});
}

}  // namespace

RecurrentResult gru(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                    const Tensor& b_hh, const RecurrentOptions& options) {
  ops::check_layer("gru", 3, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}});
  const Tensor all = recurrence(linear(x, w_ih, b_ih), h, w_hh, b_hh, options);
  const std::int64_t T = x.shape(0);
  return {slice(all, 0, 0, T), reshape(slice(all, 0, T, T + 1), {all.shape(1), all.shape(2)}), {}};
}

RecurrentResult gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                         const Tensor& b_hh) {
  ops::check_cell("gru_cell", 3, {x, w_ih, w_hh, b_ih, b_hh}, {{"h", h}});
  const Tensor in = linear(x, w_ih, b_ih), state = linear(h, w_hh, b_hh);  // (B, 3 H)
  const std::int64_t H = w_hh.shape(1);
  const auto gate = [&](const Tensor& v, std::int64_t g) { return slice(v, 1, g * H, (g + 1) * H); };
  const Tensor r = sigmoid(gate(in, 0) + gate(state, 0)), z = sigmoid(gate(in, 1) + gate(state, 1));
  const Tensor n = tanh(gate(in, 2) + r * gate(state, 2));
  const Tensor y = (1 - z) * n + z * h;
  return {y, y, {}};
}

}  // namespace tandem
