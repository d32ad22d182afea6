// See recurrent.h.
#include "recurrent.h"

#include <fmt/format.h>

#include <string>

#include "common.h"

namespace tandem::ops {

namespace {

/// Throws Error unless `x`, called `name`, has this shape.
void require_shape(const char* op, const char* name, const Tensor& x, const Shape& shape, const std::string& facts) {
  if (x.shape() == shape) return;
  fail(op, fmt::format("{} must be {}", name, to_string(shape)),
       fmt::format("{} {}, {}", name, to_string(x.shape()), facts));
}

/// The checks of both, by the rank of x.
void check(const char* op, std::int64_t gates, const RecurrentInputs& in, const std::vector<NamedState>& states,
           int rank) {
  const Array &x = floating(op, "x", in.x), &w_ih = floating(op, "w_ih", in.w_ih),
              &w_hh = floating(op, "w_hh", in.w_hh);
  const std::string facts =
      fmt::format("x {}, w_ih {}, w_hh {}", to_string(x.shape()), to_string(w_ih.shape()), to_string(w_hh.shape()));
  const bool fits = x.rank() == rank && w_ih.rank() == 2 && w_hh.rank() == 2 && w_ih.shape(1) == x.shape(-1) &&
                    w_ih.shape(0) == w_hh.shape(0) && w_hh.shape(0) == gates * w_hh.shape(1);
  if (!fits) {
    fail(op, fmt::format("x must be {0}, w_ih [{1} H, I], w_hh [{1} H, H]", rank == 3 ? "[T, B, I]" : "[B, I]", gates),
         facts);
  }
  if (in.b_ih.defined()) require_shape(op, "b_ih", in.b_ih, {w_hh.shape(0)}, facts);
  if (in.b_hh.defined()) require_shape(op, "b_hh", in.b_hh, {w_hh.shape(0)}, facts);
  for (const NamedState& state : states) {
    if (state.value.defined()) require_shape(op, state.name, state.value, {x.shape(-2), w_hh.shape(1)}, facts);
  }
}

}  // namespace

void check_layer(const char* op, std::int64_t gates, const RecurrentInputs& in, const std::vector<NamedState>& states) {
  check(op, gates, in, states, 3);
}

void check_cell(const char* op, std::int64_t gates, const RecurrentInputs& in, const std::vector<NamedState>& states) {
  for (const NamedState& state : states) value_of(op, state.name, state.value);
  check(op, gates, in, states, 2);
}

Tensor unrolled(const Tensor& z, std::int64_t H, std::vector<Tensor> states, const RecurrentOptions& options,
                const RecurrentStep& step) {
  const std::int64_t T = z.shape(0), B = z.shape(1);
  const kernels::Steps steps(T, options);
  for (Tensor& state : states) {
    if (!state.defined()) state = Array::zeros({B, H}, z.dtype());
  }
  std::vector<Tensor> all(static_cast<std::size_t>(T));
  for (std::int64_t i = 0; i < T; ++i) {
    const std::int64_t t = steps.at(i);
    Tensor& y = all[static_cast<std::size_t>(t)];
    std::vector<Tensor> next = step(reshape(slice(z, 0, t, t + 1), {B, z.shape(2)}), states);
    y = next[0];
    if (steps.have_lengths()) {  // beyond its end a sequence gives 0 and keeps its state
      std::vector<double> runs(static_cast<std::size_t>(B));
      for (std::int64_t b = 0; b < B; ++b) runs[static_cast<std::size_t>(b)] = steps.runs(t, b) ? 1 : 0;
      const Tensor running = Array::from(runs, {B, 1});
      y = where(running, y, scalar(0, z.dtype()));
      for (std::size_t s = 0; s < next.size(); ++s) next[s] = where(running, next[s], states[s]);
    }
    states = std::move(next);
  }
  all.insert(all.end(), states.begin(), states.end());
  return stack(all, 0);
}

}  // namespace tandem::ops
