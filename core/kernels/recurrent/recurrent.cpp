// See recurrent.h.
#include <tandem/core/kernels/recurrent/recurrent.h>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/profile.h>

namespace tandem::kernels {

RecurrentSizes recurrent_sizes(const char* where, std::int64_t gates, const Array& x, const Array& w,
                               const std::vector<Array>& states, const RecurrentOptions& options) {
  require_defined(where, "x", x);
  require_defined(where, "w", w);
  const std::string facts = fmt::format("x {}, w {}", to_string(x.shape()), to_string(w.shape()));
  if (x.rank() != 3 || w.rank() != 2 || w.shape(0) != gates * w.shape(1) || x.shape(2) != w.shape(0)) {
    fail(where, fmt::format("x must be [T, B, {0} H] and w [{0} H, H]", gates), facts);
  }
  if (!is_floating(x.dtype())) fail(where, fmt::format("x is {}, must be floating", name(x.dtype())), facts);
  require_dtype(where, "w", w, x.dtype());
  const RecurrentSizes sizes{x.shape(0), x.shape(1), w.shape(1)};
  if (x.size() == 0) fail(where, "there is nothing to go through", facts);
  for (const Array& state : states) {
    if (!state.defined()) continue;
    require_dtype(where, "state", state, x.dtype());
    if (!(state.shape() == Shape{sizes.B, sizes.H})) {
      fail(where, fmt::format("a first state must be [{}, {}]", sizes.B, sizes.H),
           fmt::format("state {}, {}", to_string(state.shape()), facts));
    }
  }
  const auto count = static_cast<std::int64_t>(options.lengths.size());
  if (count != 0 && count != sizes.B) {
    fail(where, "there must be one length for each sequence of the batch",
         fmt::format("{} lengths, {} sequences", count, sizes.B));
  }
  for (std::int64_t b = 0; b < count; ++b) {
    const std::int64_t length = options.lengths[static_cast<std::size_t>(b)];
    if (length < 1 || length > sizes.T) {
      fail(where, fmt::format("lengths must be from 1 to {}", sizes.T), fmt::format("sequence {} has {}", b, length));
    }
  }
  return sizes;
}

Array or_zeros(const Array& state, const RecurrentSizes& s, DType dtype) {
  return state.defined() ? state.to(dtype).contiguous() : Array::zeros({s.B, s.H}, dtype);
}

namespace {

/// Row b: dz of the step of sequence b that read the first state.
Array first_rows(const Array& dz, const Steps& steps) {
  const std::int64_t B = dz.shape(1);
  Array rows = Array::empty({B, dz.shape(2)}, dz.dtype());
  for (std::int64_t b = 0; b < B; ++b) {
    std::int64_t i = 0;
    while (!steps.runs(steps.at(i), b)) ++i;
    rows.select(0, b).copy_from(dz.select(0, steps.at(i)).select(0, b));
  }
  return rows;
}

}  // namespace

Array recurrent_weight_grad(const Array& dz, const Array& y, const Array& h, const RecurrentOptions& options) {
  const profile::KernelScope profiled("recurrent_weight_grad", dz.dtype(), [&] {
    return profile::Work{
        2.0 * static_cast<double>(dz.size()) * static_cast<double>(h.defined() ? h.shape(-1) : y.shape(-1)),
        profile::bytes(dz, y)};
  });
  const std::int64_t T = dz.shape(0), B = dz.shape(1), G = dz.shape(2), H = y.shape(2), rows = (T - 1) * B;
  const Steps steps(T, options);
  Array dw = Array::zeros({G, H}, dz.dtype());
  if (T > 1) {  // sequences that do not run have rows of zeros in dz or in y
    const std::int64_t later = options.reverse ? 0 : 1;
    const Array left = dz.slice(0, later, later + T - 1).reshape({rows, G});
    const Array right = y.slice(0, 1 - later, T - later).reshape({rows, H});
    dw = matmul(left.transpose(0, 1), right);
  }
  if (h.defined()) add_into(dw, matmul(first_rows(dz, steps).transpose(0, 1), h));
  return dw;
}

profile::Work recurrent_work(const Array& x, const Array& w) {
  if (!x.defined() || !w.defined() || w.rank() < 1) return {};
  return {2 * static_cast<double>(x.size()) * static_cast<double>(w.shape(-1)), profile::bytes(x, w)};
}

}  // namespace tandem::kernels
