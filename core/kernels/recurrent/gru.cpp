// At each step, blocks of 16 units shared between threads, products and gates in one go (recurrent_blocks.h), in f32
// whatever the elements E of memory are. f64 through the naive twin. See gru.h.
#include <tandem/core/kernels/recurrent/gru.h>

#include <fmt/format.h>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/recurrent/recurrent_blocks.h>
#include <tandem/core/kernels/reference/gru.h>
#include <tandem/core/kernels/vector_math.h>

namespace tandem::kernels {

namespace {

namespace math = vector_math;
using detail::read, detail::Sixteen, detail::UnitBlocks, detail::write;

struct Block {
  const Steps& steps;
  std::int64_t time, B, H, begin, units;
};

template <class E>
struct Step {
  const E* x;
  const float *h_before, *bias;
  E *y, *gates;
};

template <class E>
TANDEM_TARGETS __attribute__((flatten)) void forward_block(const Block& k, const float* product, const Step<E>& step) {
  const std::int64_t plane = k.B * kPanelColumns;
  Sixteen bias[3];
  for (int g = 0; g < 3; ++g) read(step.bias + g * k.H + k.begin, k.units, bias[g]);
  for (std::int64_t b = 0; b < k.B; ++b) {
    const std::int64_t at = b * k.H + k.begin, in = 3 * b * k.H + k.begin, gate = 4 * b * k.H + k.begin;
    const float* pb = product + b * kPanelColumns;
    Sixteen a[4]{}, h, y{};
    if (k.steps.runs(k.time, b)) {
      read(step.h_before + at, k.units, h);
      for (int g = 0; g < 3; ++g) read(step.x + in + g * k.H, k.units, a[g]);
      for (int j = 0; j < kPanelColumns; ++j) a[0][j] = math::sigmoid(a[0][j] + pb[j] + bias[0][j]);
      for (int j = 0; j < kPanelColumns; ++j) a[1][j] = math::sigmoid(a[1][j] + pb[plane + j] + bias[1][j]);
      for (int j = 0; j < kPanelColumns; ++j) a[3][j] = pb[2 * plane + j] + bias[2][j];
      for (int j = 0; j < kPanelColumns; ++j) a[2][j] = math::tanh(a[2][j] + a[0][j] * a[3][j]);
      for (int j = 0; j < kPanelColumns; ++j) y[j] = (1 - a[1][j]) * a[2][j] + a[1][j] * h[j];
    }
    for (int g = 0; g < 4; ++g) write(a[g], k.units, step.gates + gate + g * k.H);
    write(y, k.units, step.y + at);
  }
}

template <class E>
struct GradStep {
  const E *dy, *gates;
  const float* h_before;
  E *dx, *dz;
  float *copy, *dh;  ///< copy: of dz, unless null
};

/// dh holds what reached the state without the product; for sequences that ran at time `after`, the product joins it.
template <class E>
TANDEM_TARGETS __attribute__((flatten)) void backward_block(const Block& k, const float* product, std::int64_t after,
                                                            const GradStep<E>& step) {
  for (std::int64_t b = 0; b < k.B; ++b) {
    const std::int64_t at = b * k.H + k.begin, in = 3 * b * k.H + k.begin, gate = 4 * b * k.H + k.begin;
    Sixteen d[4]{}, dh;
    read(step.dh + at, k.units, dh);
    if (after >= 0 && k.steps.runs(after, b)) {
      for (int j = 0; j < kPanelColumns; ++j) dh[j] += product[b * kPanelColumns + j];
    }
    if (k.steps.runs(k.time, b)) {
      Sixteen a[4], dy, h;
      for (int g = 0; g < 4; ++g) read(step.gates + gate + g * k.H, k.units, a[g]);
      read(step.dy + at, k.units, dy);
      read(step.h_before + at, k.units, h);
      for (int j = 0; j < kPanelColumns; ++j) {
        const float r = a[0][j], z = a[1][j], n = a[2][j], m = a[3][j], dh_now = dy[j] + dh[j];
        const float dn = dh_now * (1 - z) * (1 - n * n);
        d[0][j] = dn * m * r * (1 - r);
        d[1][j] = dh_now * (h[j] - n) * z * (1 - z);
        d[2][j] = dn;
        d[3][j] = dn * r;
        dh[j] = dh_now * z;
      }
    }
    for (int g = 0; g < 3; ++g) write(d[g], k.units, step.dx + in + g * k.H);
    for (int g = 0; g < 3; ++g) write(d[g == 2 ? 3 : g], k.units, step.dz + in + g * k.H);
    for (int g = 0; g < 3 && step.copy != nullptr; ++g) write(d[g == 2 ? 3 : g], k.units, step.copy + in + g * k.H);
    write(dh, k.units, step.dh + at);
  }
}

template <class E>
void forward(const RecurrentSizes& s, const Steps& steps, const E* x, const float* h, const E* w, const float* bias,
             E* y, E* gates) {
  const std::int64_t plane = s.B * s.H;
  UnitBlocks blocks(UnitBlocks::Side::states, w, 3, s.H, s.B);
  std::vector<float> mixed;
  for (std::int64_t i = 0; i < s.T; ++i) {
    const std::int64_t t = steps.at(i);
    const float* before = detail::states_before(steps, i, s, y, h, mixed);
    const Step<E> step{x + 3 * t * plane, before, bias, y + t * plane, gates + 4 * t * plane};
    blocks.multiply(before, [&](const float* product, std::int64_t begin, std::int64_t units) {
      forward_block({steps, t, s.B, s.H, begin, units}, product, step);
    });
  }
  for (std::int64_t b = 0; b < s.B; ++b)
    std::copy_n(y + steps.last(b) * plane + b * s.H, s.H, y + s.T * plane + b * s.H);
}

template <class E>
void backward(const RecurrentSizes& s, const Steps& steps, const E* dy, const E* y, const E* gates, const float* h,
              const E* w, E* dx, E* dz, float* dh) {
  const std::int64_t plane = s.B * s.H;
  UnitBlocks blocks(UnitBlocks::Side::gates, w, 3, s.H, s.B);
  std::vector<float> mixed;
  detail::StepGrads<E> grads(3 * plane);
  detail::copy_numbers(dy + s.T * plane, plane, dh);
  for (std::int64_t i = s.T - 1; i >= 0; --i) {
    const std::int64_t t = steps.at(i), after = i + 1 < s.T ? steps.at(i + 1) : -1;
    const float* before = detail::states_before(steps, i, s, y, h, mixed);
    const GradStep<E> step{dy + t * plane,     gates + 4 * t * plane, before, dx + 3 * t * plane,
                           dz + 3 * t * plane, grads.copy(i),         dh};
    blocks.multiply(after < 0 ? nullptr : grads.of(i + 1, dz + 3 * after * plane),
                    [&](const float* product, std::int64_t begin, std::int64_t units) {
                      backward_block({steps, t, s.B, s.H, begin, units}, product, after, step);
                    });
  }
  const std::int64_t first = steps.at(0);
  blocks.multiply(grads.of(0, dz + 3 * first * plane),
                  [&](const float* product, std::int64_t begin, std::int64_t units) {
                    for (std::int64_t b = 0; b < s.B; ++b) {
                      for (std::int64_t j = 0; j < units && steps.runs(first, b); ++j)
                        dh[b * s.H + begin + j] += product[b * kPanelColumns + j];
                    }
                  });
}

}  // namespace

GruForward gru(const Array& x, const Array& h, const Array& w, const Array& b, const RecurrentOptions& options) {
  const profile::KernelScope profiled("gru", x.dtype(), [&] { return recurrent_work(x, w); });
  const RecurrentSizes s = recurrent_sizes("gru", 3, x, w, {h}, options);
  const DType dtype = x.dtype();
  if (b.defined()) {
    require_dtype("gru", "b", b, dtype);
    if (!(b.shape() == Shape{3 * s.H}))
      fail("gru", fmt::format("b must be [{}]", 3 * s.H), fmt::format("b {}", to_string(b.shape())));
  }
  const Steps steps(s.T, options);
  const DType wide = work_dtype(dtype);
  GruForward r{Array::empty({s.T + 1, s.B, s.H}, dtype), Array::empty({s.T, s.B, 4 * s.H}, dtype)};
  const Array in = x.contiguous(), plain_w = w.contiguous(), h0 = or_zeros(h, s, wide);
  const Array bias = b.defined() ? b.to(wide).contiguous() : Array::zeros({3 * s.H}, wide);
  const auto run = [&]<class T, class Wide>(T, Wide, auto function) {
    function(s, steps, in.data<T>(), h0.data<Wide>(), plain_w.data<T>(), bias.data<Wide>(), r.y.data<T>(),
             r.gates.data<T>());
  };
  if (dtype == DType::f64) {
    run(double{}, double{}, reference::gru<double>);
  } else {
    visit_narrow(dtype, [&]<class E>(E element) { run(element, float{}, kernels::forward<E>); });
  }
  return r;
}

GruGrads gru_grad(const Array& dy, const GruForward& forward, const Array& h, const Array& w,
                  const RecurrentOptions& options) {
  const profile::KernelScope profiled("gru_grad", dy.dtype(), [&] { return recurrent_work(forward.gates, w); });
  const RecurrentSizes s{forward.gates.shape(0), forward.gates.shape(1), forward.y.shape(2)};
  const Steps steps(s.T, options);
  const DType dtype = dy.dtype(), wide = work_dtype(dtype);
  const Shape shape{s.T, s.B, 3 * s.H};
  GruGrads r{Array::empty(shape, dtype), Array::empty(shape, dtype), Array::empty({s.B, s.H}, wide)};
  const Array in = dy.contiguous(), plain_w = w.contiguous(), h0 = or_zeros(h, s, wide);
  const auto run = [&]<class T, class Wide>(T, Wide, auto function) {
    function(s, steps, in.data<T>(), forward.y.data<T>(), forward.gates.data<T>(), h0.data<Wide>(), plain_w.data<T>(),
             r.dx.data<T>(), r.dz.data<T>(), r.dh.data<Wide>());
  };
  if (dtype == DType::f64) {
    run(double{}, double{}, reference::gru_grad<double>);
  } else {
    visit_narrow(dtype, [&]<class E>(E element) { run(element, float{}, backward<E>); });
  }
  return {r.dx, r.dz, r.dh.to(dtype)};
}

}  // namespace tandem::kernels
