// The sum of squares of all elements, for norms and clipping, and mean squared errors: 16 lanes in double. Not here:
// sums (reduce.cpp).
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/capture.h>
#include <tandem/core/convert.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/strided_loop.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

/// sum_i term(i)^2 for begin <= i < end.
template <class Term>
TANDEM_TARGETS __attribute__((flatten)) double squares_block(Term term, std::int64_t begin, std::int64_t end) {
  double lanes[16] = {};
  std::int64_t i = begin;
  for (; i + 16 <= end; i += 16) {
    for (std::int64_t j = 0; j < 16; ++j) {
      const double v = term(i + j);
      lanes[j] += v * v;
    }
  }
  for (; i < end; ++i) lanes[(i - begin) % 16] += term(i) * term(i);
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

template <class Term>
double sum_squares(Term term, std::int64_t n) {
  constexpr std::int64_t kGrain = 32768;
  const Parts parts = parallel_parts(n, kGrain);
  if (parts.number == 1) return squares_block(term, 0, n);
  std::vector<double> totals(static_cast<std::size_t>(parts.number));
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    totals[static_cast<std::size_t>(part)] = squares_block(term, begin, end);
  });
  double total = 0;
  for (const double part : totals) total += part;
  return total;
}

template <class T>
TANDEM_TARGETS void scaled_differences(const T* a, const T* t, T scale, T* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = (a[i] - t[i]) * scale;
}

Array without_gaps(const Array& x) { return x.is_contiguous() || x.is_channels_last() ? x : x.contiguous(); }

/// a and t in one dtype and one dense order.
struct Pair {
  Array a, t;

  Pair(const char* where, const Array& given_a, const Array& given_t) {
    require_floating(where, "a", given_a);
    require_floating(where, "t", given_t);
    if (!(given_a.shape() == given_t.shape())) {
      fail(where, "a and t must have the same shape",
           fmt::format("a {}, t {}", to_string(given_a.shape()), to_string(given_t.shape())));
    }
    const DType dtype = result_type(given_a.dtype(), given_a.rank(), given_t.dtype(), given_t.rank());
    if (work_dtype(dtype) != dtype) fail(where, "a and t must be f32 or f64", fmt::format("they are {}", name(dtype)));
    a = without_gaps(given_a.to(dtype));
    t = given_t.to(dtype).to_layout(a.layout());
  }
};

template <class F>
void visit_wide(DType dtype, F&& f) {
  if (dtype == DType::f32) return f(float{});
  f(double{});
}

}  // namespace

double sum_of_squares(const Array& x) {
  const profile::KernelScope profiled("sum_of_squares", x.dtype(), [&] { return profile::moves(x); });
  require_defined("sum_of_squares", "x", x);
  capture::refuse("sum_of_squares", "gives the host a number");
  if (x.size() == 0) return 0;
  const Array dense = without_gaps(x);
  return visit_dtype(x.dtype(), [&]<class X>(X) {
    return sum_squares([p = dense.data<X>()](std::int64_t i) { return convert_number<double>(p[i]); }, x.size());
  });
}

Array mean_squared_error(const Array& given_a, const Array& given_t) {
  const profile::KernelScope profiled("mean_squared_error", given_a.dtype(),
                                      [&] { return profile::moves(given_a, given_t); });
  const Pair pair("mean_squared_error", given_a, given_t);
  const Array &a = pair.a, &t = pair.t;
  Array y = Array::empty({}, given_a.dtype());
  visit_wide(a.dtype(), [&]<class T>(T) {
    capture::run("mean_squared_error", {&a, &t}, {&y},
                 [p = a.data<T>(), q = t.data<T>(), n = a.size(), to = y.bytes(), dtype = y.dtype()] {
                   const double total =
                       sum_squares([p, q](std::int64_t i) { return static_cast<double>(p[i] - q[i]); }, n);
                   const double mean = total / static_cast<double>(n);
                   visit_wide(dtype, [&]<class Y>(Y) { *reinterpret_cast<Y*>(to) = static_cast<Y>(mean); });
                 });
  });
  return y;
}

Array mean_squared_error_grad(const Array& dy, const Array& given_a, const Array& given_t) {
  const char* where = "mean_squared_error_grad";
  const profile::KernelScope profiled(where, given_a.dtype(),
                                      [&] { return profile::moves(given_a, given_t, given_a); });
  const Pair pair(where, given_a, given_t);
  const Array &a = pair.a, &t = pair.t;
  require_floating(where, "dy", dy);
  if (dy.size() != 1) fail(where, "dy must be a number", "dy " + to_string(dy.shape()));
  const Array seed = dy.to(a.dtype());
  Array dx = Array::empty_like(a);
  visit_wide(a.dtype(), [&]<class T>(T) {
    const T c = static_cast<T>(2 / static_cast<double>(a.size()));
    capture::run(where, {&seed, &a, &t}, {&dx},
                 [=, s = seed.data<T>(), p = a.data<T>(), q = t.data<T>(), r = dx.data<T>(), n = a.size()] {
                   parallel_for(n, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
                     scaled_differences(p + begin, q + begin, *s * c, r + begin, end - begin);
                   });
                 });
  });
  return dx;
}

}  // namespace tandem::kernels
