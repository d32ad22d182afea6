// argmax, argmin and topk: one line of elements after the other, lines shared by threads. Any dtype.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <tandem/core/error.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/kernels/reference/reduce.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

// Where the line `line` along `dim` begins: lines are counted in row-major order of the other dims.
std::int64_t line_offset(const Array& x, int dim, std::int64_t line) {
  std::int64_t offset = 0;
  for (int d = x.rank() - 1; d >= 0; --d) {
    if (d == dim) continue;
    offset += line % x.shape(d) * x.stride(d);
    line /= x.shape(d);
  }
  return offset;
}

void require_elements(const char* where, const Array& x, int dim) {
  if (x.shape(dim) > 0) return;
  fail(where, "there is no element to choose from", fmt::format("x {}, dim {}", to_string(x.shape()), dim));
}

std::int64_t line_grain(const Array& x, int dim) { return std::max<std::int64_t>(1, 8192 / x.shape(dim)); }

}  // namespace

namespace {

// The index along dim of the element that no other is better than; the first of equals, and NaN before all.
template <class Better>
Array search(const char* where, const Array& x, int dim, Better better) {
  const profile::KernelScope profiled(where, x.dtype(), [&] { return profile::moves(x); });
  require_defined(where, "x", x);
  const int d = normalize_dim(where, dim, x.rank());
  require_elements(where, x, d);
  Shape shape = x.shape();
  shape.erase(d);
  Array y = Array::empty(shape, DType::i64);
  std::int64_t* out = y.data<std::int64_t>();
  const std::int64_t n = x.shape(d), stride = x.stride(d);
  visit_dtype(x.dtype(), [&](auto scalar) {
    const auto* in = x.data<decltype(scalar)>();
    parallel_for(y.size(), line_grain(x, d), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        const auto* p = in + line_offset(x, d, line);
        auto best = p[0];
        std::int64_t at = 0;
        for (std::int64_t i = 1; i < n; ++i) {
          const auto v = p[i * stride];
          if (better(v, best) || (v != v && best == best)) {
            best = v;
            at = i;
          }
        }
        out[line] = at;
      }
    });
  });
  return y;
}

}  // namespace

Array argmax(const Array& x, int dim) {
  return search("argmax", x, dim, [](auto a, auto b) { return a > b; });
}

Array argmin(const Array& x, int dim) {
  return search("argmin", x, dim, [](auto a, auto b) { return a < b; });
}

std::pair<Array, Array> topk(const Array& x, std::int64_t k, int dim) {
  const profile::KernelScope profiled("topk", x.dtype(), [&] { return profile::moves(x); });
  require_defined("topk", "x", x);
  const int d = normalize_dim("topk", dim, x.rank());
  if (k < 0 || k > x.shape(d)) {
    fail("topk", fmt::format("k is {}, must be in [0, {}]", k, x.shape(d)),
         fmt::format("x {}, dim {}", to_string(x.shape()), d));
  }
  Shape shape = x.shape();
  shape[d] = k;
  std::pair<Array, Array> y{Array::empty(shape, x.dtype()), Array::empty(shape, DType::i64)};
  if (shape.count() == 0) return y;
  const std::int64_t n = x.shape(d), stride = x.stride(d), out_stride = y.second.stride(d);
  std::int64_t* indices = y.second.data<std::int64_t>();
  visit_dtype(x.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    const T* in = x.data<T>();
    T* values = y.first.template data<T>();
    parallel_for(shape.count() / k, line_grain(x, d), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        const T* p = in + line_offset(x, d, line);
        std::int64_t at = line_offset(y.second, d, line);
        for (const std::int64_t i : reference::topk_indices(p, n, stride, k)) {
          indices[at] = i;
          values[at] = p[i * stride];
          at += out_stride;
        }
      }
    });
  });
  return y;
}

}  // namespace tandem::kernels
