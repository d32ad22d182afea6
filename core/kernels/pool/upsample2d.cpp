// Upsampling and its transpose are one loop: each output row is a weighted sum of a few input rows, each place in it of
// a few places, and a place is C neighbouring numbers. What differs is the table of places and weights along an axis;
// the transpose reads it the other way round, so no thread adds into another's output. Computed in f32.
#include <tandem/core/kernels/pool/upsample2d.h>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reference/upsample2d.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;      // multiplications that are worth a thread
constexpr std::int64_t kLargest = 1 << 24;  // places of a side: beyond it a scale or size is a mistake

/// One term of a sum along an axis.
struct Term {
  std::int64_t place;
  float weight;
};

/// The terms of each output place of an axis, one place after the other.
struct Axis {
  std::vector<std::size_t> begin{0};  // of place i; one more at the end
  std::vector<Term> terms;

  const Term* first(std::int64_t i) const { return terms.data() + begin[static_cast<std::size_t>(i)]; }
  const Term* last(std::int64_t i) const { return terms.data() + begin[static_cast<std::size_t>(i) + 1]; }
  /// Terms a place, on average and at least 1.
  std::int64_t density() const { return 1 + static_cast<std::int64_t>(terms.size() / std::max(begin.size(), 2UL)); }
};

Axis make_axis(std::int64_t size, std::int64_t out, double scale, Interpolation mode) {
  Axis axis;
  for (std::int64_t i = 0; i < out; ++i) {
    const reference::UpsamplePlace at = reference::upsample_place(i, size, out, scale, mode);
    axis.terms.push_back({at.k, static_cast<float>(1 - at.t)});
    if (mode == Interpolation::bilinear) axis.terms.push_back({at.next, static_cast<float>(at.t)});
    axis.begin.push_back(axis.terms.size());
  }
  return axis;
}

/// For each of `size` input places the output places that it went to.
Axis transpose(const Axis& axis, std::int64_t size) {
  const auto out = static_cast<std::int64_t>(axis.begin.size()) - 1;
  std::vector<std::vector<Term>> found(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < out; ++i)
    for (const Term* t = axis.first(i); t != axis.last(i); ++t)
      if (t->weight != 0) found[static_cast<std::size_t>(t->place)].push_back({i, t->weight});
  Axis result;
  for (const std::vector<Term>& terms : found) {
    result.terms.insert(result.terms.end(), terms.begin(), terms.end());
    result.begin.push_back(result.terms.size());
  }
  return result;
}

/// One row of Q places of y from an image x of rows of W places; sums [C].
template <class E>
TANDEM_TARGETS void resample_row(const E* x, const Term* row, const Term* rows_end, const Axis& columns, std::int64_t W,
                                 std::int64_t Q, std::int64_t C, E* __restrict y, float* __restrict sums) {
  const std::int64_t line = W * C;
  for (std::int64_t q = 0; q < Q; ++q, y += C) {
    const Term *column = columns.first(q), *columns_end = columns.last(q);
    const std::int64_t terms = (rows_end - row) * (columns_end - column);
    if (terms == 1 && row->weight * column->weight == 1.0F) {
      const E* a = x + row->place * line + column->place * C;
      std::copy(a, a + C, y);
    } else if (terms == 4 && columns_end - column == 2) {
      const E *upper = x + row[0].place * line, *lower = x + row[1].place * line;
      const E *a = upper + column[0].place * C, *b = upper + column[1].place * C;
      const E *c = lower + column[0].place * C, *d = lower + column[1].place * C;
      const float wa = row[0].weight * column[0].weight, wb = row[0].weight * column[1].weight;
      const float wc = row[1].weight * column[0].weight, wd = row[1].weight * column[1].weight;
      for (std::int64_t k = 0; k < C; ++k) {
        const auto va = static_cast<float>(a[k]), vb = static_cast<float>(b[k]);
        const auto vc = static_cast<float>(c[k]), vd = static_cast<float>(d[k]);
        y[k] = E((wa * va + wb * vb) + (wc * vc + wd * vd));
      }
    } else {
      std::fill(sums, sums + C, 0.0F);
      for (const Term* r = row; r != rows_end; ++r)
        for (const Term* s = column; s != columns_end; ++s) {
          const float weight = r->weight * s->weight;
          const E* a = x + r->place * line + s->place * C;
          for (std::int64_t k = 0; k < C; ++k) sums[k] += weight * static_cast<float>(a[k]);
        }
      for (std::int64_t k = 0; k < C; ++k) y[k] = E(sums[k]);
    }
  }
}

/// y by the terms of its rows and columns; both channels-last.
void resample(const Array& x, const Axis& rows, const Axis& columns, Array& y) {
  const std::int64_t C = x.shape(1), H = x.shape(2), W = x.shape(3), P = y.shape(2), Q = y.shape(3);
  const std::int64_t work = std::max<std::int64_t>(1, Q * C * rows.density() * columns.density());
  const Parts parts = parallel_parts(x.shape(0) * P, std::max<std::int64_t>(1, kGrain / work));
  Array sums = Array::empty({parts.number, C});
  float* scratch = sums.data<float>();
  visit_narrow(x.dtype(), [&]<class E>(E) {
    const E* px = x.data<E>();
    E* py = y.data<E>();
    parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
      for (std::int64_t at = begin; at < end; ++at)
        resample_row(px + at / P * H * W * C, rows.first(at % P), rows.last(at % P), columns, W, Q, C, py + at * Q * C,
                     scratch + part * C);
    });
  });
}

Axis row_axis(const Shape& x, const Shape& y, const Upsample2dOptions& o) {
  return make_axis(x[2], y[2], o.scale.h, o.mode);
}
Axis column_axis(const Shape& x, const Shape& y, const Upsample2dOptions& o) {
  return make_axis(x[3], y[3], o.scale.w, o.mode);
}

}  // namespace

Shape upsample2d_shape(const Shape& x, const Upsample2dOptions& o) {
  const char* where = "upsample2d";
  if (x.rank() != 4 || x[2] < 1 || x[3] < 1)
    fail(where, fmt::format("x is {}, must be [N, C, H, W] and not empty", x.to_string()));
  const bool by_scale = o.scale != Scale2(0), by_size = o.size != Size2(0);
  if (by_scale == by_size)
    fail(where, by_scale ? "scale and size are both given" : "neither scale nor size is given", {}, "give one of them");
  if (by_size) {
    if (o.size.h < 1 || o.size.w < 1 || o.size.h > kLargest || o.size.w > kLargest)
      fail(where, fmt::format("size is {}, must be from 1 to {}", to_string(o.size), kLargest),
           fmt::format("x {}", x.to_string()));
    return {x[0], x[1], o.size.h, o.size.w};
  }
  constexpr auto kMost = static_cast<double>(kLargest);
  const double h = static_cast<double>(x[2]) * o.scale.h, w = static_cast<double>(x[3]) * o.scale.w;
  if (!(o.scale.h > 0 && o.scale.w > 0 && h >= 1 && w >= 1 && h <= kMost && w <= kMost))
    fail(where, fmt::format("scale is {}x{}, must leave from 1 to {} rows and columns", o.scale.h, o.scale.w, kLargest),
         fmt::format("x {}", x.to_string()));
  return {x[0], x[1], static_cast<std::int64_t>(h), static_cast<std::int64_t>(w)};
}

Array upsample2d(const Array& x, const Upsample2dOptions& options) {
  const profile::KernelScope profiled("upsample2d", x.dtype(), [&] { return profile::moves(x); });
  require_floating("upsample2d", "x", x);
  const Shape shape = upsample2d_shape(x.shape(), options);
  Array y = detail::empty_images(shape, x.dtype());
  if (x.dtype() == DType::f64) {
    reference::upsample2d<double>(x, options, y);
  } else {
    resample(x.to_layout(Layout::channels_last), row_axis(x.shape(), shape, options),
             column_axis(x.shape(), shape, options), y);
  }
  return y;
}

Array upsample2d_grad(const Array& dy, const Shape& x, const Upsample2dOptions& options) {
  const profile::KernelScope profiled("upsample2d_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, profile::bytes_of(x, dy.dtype())); });
  require_floating("upsample2d_grad", "dy", dy);
  const Shape shape = upsample2d_shape(x, options);
  if (dy.shape() != shape)
    fail("upsample2d_grad", fmt::format("dy is {}, must be {}", dy.shape().to_string(), shape.to_string()),
         fmt::format("x {}", x.to_string()));
  Array dx = detail::empty_images(x, dy.dtype());
  if (dy.dtype() == DType::f64) {
    reference::upsample2d_grad<double>(dy, options, dx);
  } else {
    resample(dy.to_layout(Layout::channels_last), transpose(row_axis(x, shape, options), x[2]),
             transpose(column_axis(x, shape, options), x[3]), dx);
  }
  return dx;
}

}  // namespace tandem::kernels
