// At each step, blocks of 16 units shared between threads, products and gates in one go (recurrent_blocks.h), in f32
// whatever the elements E of memory are. f64 through the naive twin. See lstm.h.
#include <tandem/core/kernels/recurrent/lstm.h>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/recurrent/recurrent_blocks.h>
#include <tandem/core/kernels/reference/lstm.h>
#include <tandem/core/kernels/vector_math.h>

namespace tandem::kernels {

namespace {

namespace math = vector_math;
using detail::read, detail::Sixteen, detail::UnitBlocks, detail::write;

/// A step of a block of units; pointers to the rows of this time, `begin` the first unit of `units`.
struct Block {
  const Steps& steps;
  std::int64_t time, B, H, begin, units;
};

template <class E>
struct Step {
  const E* x;
  const float* c_before;
  E *y, *gates;
  float* cells;
};

template <class E>
TANDEM_TARGETS __attribute__((flatten)) void forward_block(const Block& k, const float* z, const Step<E>& step) {
  const std::int64_t plane = k.B * kPanelColumns;
  for (std::int64_t b = 0; b < k.B; ++b) {
    const std::int64_t at = b * k.H + k.begin, gate = 4 * b * k.H + k.begin;
    const float* zb = z + b * kPanelColumns;
    Sixteen a[4], c, y{};
    read(step.c_before + at, k.units, c);
    if (k.steps.runs(k.time, b)) {
      for (int g = 0; g < 4; ++g) {
        read(step.x + gate + g * k.H, k.units, a[g]);
        for (int j = 0; j < kPanelColumns; ++j) a[g][j] += zb[g * plane + j];
      }
      for (int j = 0; j < kPanelColumns; ++j) a[0][j] = math::sigmoid(a[0][j]);
      for (int j = 0; j < kPanelColumns; ++j) a[1][j] = math::sigmoid(a[1][j]);
      for (int j = 0; j < kPanelColumns; ++j) a[2][j] = math::tanh(a[2][j]);
      for (int j = 0; j < kPanelColumns; ++j) a[3][j] = math::sigmoid(a[3][j]);
      for (int j = 0; j < kPanelColumns; ++j) c[j] = a[1][j] * c[j] + a[0][j] * a[2][j];
      for (int j = 0; j < kPanelColumns; ++j) y[j] = a[3][j] * math::tanh(c[j]);
    } else {
      std::fill_n(a[0], 4 * kPanelColumns, 0.0F);
    }
    for (int g = 0; g < 4; ++g) write(a[g], k.units, step.gates + gate + g * k.H);
    write(c, k.units, step.cells + at);
    write(y, k.units, step.y + at);
  }
}

template <class E>
struct GradStep {
  const E *dy, *gates;
  const float *cells, *c_before;
  E* dx;
  float *copy, *dh, *dc;  ///< copy: of dx, unless null
};

template <class E>
TANDEM_INLINE void write_gates(const Sixteen (&d)[4], const Block& k, const GradStep<E>& step, std::int64_t gate) {
  for (int g = 0; g < 4; ++g) write(d[g], k.units, step.dx + gate + g * k.H);
  for (int g = 0; g < 4 && step.copy != nullptr; ++g) write(d[g], k.units, step.copy + gate + g * k.H);
}

/// dh holds what came from the last output or passed by; for sequences that ran at time `after`, z replaces it.
template <class E>
TANDEM_TARGETS __attribute__((flatten)) void backward_block(const Block& k, const float* z, std::int64_t after,
                                                            const GradStep<E>& step) {
  for (std::int64_t b = 0; b < k.B; ++b) {
    const std::int64_t at = b * k.H + k.begin, gate = 4 * b * k.H + k.begin;
    const bool came = after >= 0 && k.steps.runs(after, b);
    Sixteen d[4]{};
    if (!k.steps.runs(k.time, b)) {
      if (came) std::copy_n(z + b * kPanelColumns, k.units, step.dh + at);
      write_gates(d, k, step, gate);
      continue;
    }
    Sixteen a[4], dh, dy, dc, c, bent, before;
    if (came) {
      read(z + b * kPanelColumns, kPanelColumns, dh);
    } else {
      read(step.dh + at, k.units, dh);
    }
    for (int g = 0; g < 4; ++g) read(step.gates + gate + g * k.H, k.units, a[g]);
    read(step.dy + at, k.units, dy);
    read(step.dc + at, k.units, dc);
    read(step.cells + at, k.units, c);
    read(step.c_before + at, k.units, before);
    for (int j = 0; j < kPanelColumns; ++j) bent[j] = math::tanh(c[j]);
    for (int j = 0; j < kPanelColumns; ++j) {
      const float in = a[0][j], forget = a[1][j], g = a[2][j], out = a[3][j];
      const float dh_now = dy[j] + dh[j];
      const float dc_now = dc[j] + dh_now * out * (1 - bent[j] * bent[j]);
      d[0][j] = dc_now * g * in * (1 - in);
      d[1][j] = dc_now * before[j] * forget * (1 - forget);
      d[2][j] = dc_now * in * (1 - g * g);
      d[3][j] = dh_now * bent[j] * out * (1 - out);
      dc[j] = dc_now * forget;
    }
    write_gates(d, k, step, gate);
    write(dc, k.units, step.dc + at);
  }
}

template <class E>
void forward(const RecurrentSizes& s, const Steps& steps, const E* x, const float* h, const float* c, const E* w, E* y,
             E* gates, float* cells) {
  const std::int64_t plane = s.B * s.H;
  UnitBlocks blocks(UnitBlocks::Side::states, w, 4, s.H, s.B);
  std::vector<float> mixed;
  for (std::int64_t i = 0; i < s.T; ++i) {
    const std::int64_t t = steps.at(i);
    const Step<E> step{x + 4 * t * plane, i > 0 ? cells + steps.at(i - 1) * plane : c, y + t * plane,
                       gates + 4 * t * plane, cells + t * plane};
    blocks.multiply(detail::states_before(steps, i, s, y, h, mixed),
                    [&](const float* z, std::int64_t begin, std::int64_t units) {
                      forward_block({steps, t, s.B, s.H, begin, units}, z, step);
                    });
  }
  for (std::int64_t b = 0; b < s.B; ++b)
    std::copy_n(y + steps.last(b) * plane + b * s.H, s.H, y + s.T * plane + b * s.H);
  detail::copy_numbers(cells + steps.at(s.T - 1) * plane, plane, y + (s.T + 1) * plane);
}

template <class E>
void backward(const RecurrentSizes& s, const Steps& steps, const E* dy, const E* gates, const float* cells,
              const float* c, const E* w, E* dx, float* dh, float* dc) {
  const std::int64_t plane = s.B * s.H;
  UnitBlocks blocks(UnitBlocks::Side::gates, w, 4, s.H, s.B);
  detail::StepGrads<E> grads(4 * plane);
  detail::copy_numbers(dy + s.T * plane, plane, dh);
  detail::copy_numbers(dy + (s.T + 1) * plane, plane, dc);
  for (std::int64_t i = s.T - 1; i >= 0; --i) {
    const std::int64_t t = steps.at(i), after = i + 1 < s.T ? steps.at(i + 1) : -1;
    const GradStep<E> step{dy + t * plane,
                           gates + 4 * t * plane,
                           cells + t * plane,
                           i > 0 ? cells + steps.at(i - 1) * plane : c,
                           dx + 4 * t * plane,
                           grads.copy(i),
                           dh,
                           dc};
    blocks.multiply(after < 0 ? nullptr : grads.of(i + 1, dx + 4 * after * plane),
                    [&](const float* z, std::int64_t begin, std::int64_t units) {
                      backward_block({steps, t, s.B, s.H, begin, units}, z, after, step);
                    });
  }
  const std::int64_t first = steps.at(0);
  blocks.multiply(grads.of(0, dx + 4 * first * plane), [&](const float* z, std::int64_t begin, std::int64_t units) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      if (steps.runs(first, b)) std::copy_n(z + b * kPanelColumns, units, dh + b * s.H + begin);
    }
  });
}

}  // namespace

LstmForward lstm(const Array& x, const Array& h, const Array& c, const Array& w, const RecurrentOptions& options) {
  const profile::KernelScope profiled("lstm", x.dtype(), [&] { return recurrent_work(x, w); });
  const RecurrentSizes s = recurrent_sizes("lstm", 4, x, w, {h, c}, options);
  const Steps steps(s.T, options);
  const DType dtype = x.dtype(), wide = work_dtype(dtype);
  LstmForward r{Array::empty({s.T + 2, s.B, s.H}, dtype), Array::empty({s.T, s.B, 4 * s.H}, dtype),
                Array::empty({s.T, s.B, s.H}, wide)};
  const Array in = x.contiguous(), plain_w = w.contiguous(), c0 = or_zeros(c, s, wide);
  const bool reads_h = dtype == DType::f64 || h.defined() || (options.reverse && steps.have_lengths());
  const Array h0 = reads_h ? or_zeros(h, s, wide) : Array();
  const auto run = [&]<class T, class Wide>(T, Wide, auto function) {
    function(s, steps, in.data<T>(), data_or_null<Wide>(h0), c0.data<Wide>(), plain_w.data<T>(), r.y.data<T>(),
             r.gates.data<T>(), r.cells.data<Wide>());
  };
  if (dtype == DType::f64) {
    run(double{}, double{}, reference::lstm<double>);
  } else {
    visit_narrow(dtype, [&]<class E>(E element) { run(element, float{}, kernels::forward<E>); });
  }
  return r;
}

LstmGrads lstm_grad(const Array& dy, const LstmForward& forward, const Array& c, const Array& w,
                    const RecurrentOptions& options) {
  const profile::KernelScope profiled("lstm_grad", dy.dtype(), [&] { return recurrent_work(forward.gates, w); });
  const RecurrentSizes s{forward.cells.shape(0), forward.cells.shape(1), forward.cells.shape(2)};
  const Steps steps(s.T, options);
  const DType dtype = dy.dtype(), wide = work_dtype(dtype);
  LstmGrads r{Array::empty(forward.gates.shape(), dtype), Array::empty({s.B, s.H}, wide),
              Array::empty({s.B, s.H}, wide)};
  const Array in = dy.contiguous(), plain_w = w.contiguous(), c0 = or_zeros(c, s, wide);
  const auto run = [&]<class T, class Wide>(T, Wide, auto function) {
    function(s, steps, in.data<T>(), forward.gates.data<T>(), forward.cells.data<Wide>(), c0.data<Wide>(),
             plain_w.data<T>(), r.dx.data<T>(), r.dh.data<Wide>(), r.dc.data<Wide>());
  };
  if (dtype == DType::f64) {
    run(double{}, double{}, reference::lstm_grad<double>);
  } else {
    visit_narrow(dtype, [&]<class E>(E element) { run(element, float{}, backward<E>); });
  }
  return {r.dx, r.dh.to(dtype), r.dc.to(dtype)};
}

}  // namespace tandem::kernels
