// Batch normalisation on memory read as rows of C channels, [N H W, C]: statistics in one pass over memory, then
// normalise + add + ReLU in one; backward reduces in one pass and applies in one. Memory decides, so each pass touches
// each number once. f64 goes through reference/batch_norm.h; other floats are converted in registers.
//
// Statistics: blocks of rows that fit in cache are read twice, for their mean and for the squares about it, and merged
// in double (batch_norm_rows.h). Parts are merged in order: deterministic for a number of threads.
#include <tandem/core/kernels/normalise/batch_norm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/kernels/images.h>
#include <tandem/core/kernels/normalise/batch_norm_rows.h>
#include <tandem/core/kernels/normalise/parameters.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reference/batch_norm.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::as_images, detail::as_parameter, detail::empty_images;

std::int64_t rows_grain(std::int64_t C) { return std::max<std::int64_t>(1, 16384 / C); }

/// f(first row, rows) for blocks of rows, the last first: what the pass before has read last is still in cache.
template <class F>
void backwards(std::int64_t rows, std::int64_t C, F&& f) {
  const std::int64_t block = block_rows(C);
  parallel_for(rows, rows_grain(C), [&](std::int64_t begin, std::int64_t end) {
    for (; end > begin; end -= std::min(block, end - begin)) {
      const std::int64_t first = std::max(begin, end - block);
      f(first, end - first);
    }
  });
}

/// Mean and sum of squares about it of each channel over all rows, f64 [2, C].
template <class E>
Array moments(const E* x, std::int64_t rows, std::int64_t C) {
  const std::int64_t block = block_rows(C);
  const Parts ranges = parallel_parts(rows, rows_grain(C));
  Array all = Array::empty({ranges.number, 4, C}, DType::f64);  // and those of a block
  std::vector<double> counts(static_cast<std::size_t>(ranges.number));
  double* p = all.data<double>();
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    double *mean = p + part * 4 * C, *squares = mean + C, *other_mean = squares + C, *other_squares = other_mean + C;
    for (std::int64_t r = begin; r < end; r += block) {
      const std::int64_t n = std::min(block, end - r);
      if (r == begin) {
        block_moments(x + r * C, n, C, mean, squares);
        continue;
      }
      block_moments(x + r * C, n, C, other_mean, other_squares);
      merge_moments(static_cast<double>(r - begin), mean, squares, static_cast<double>(n), other_mean, other_squares,
                    C);
    }
    counts[static_cast<std::size_t>(part)] = static_cast<double>(end - begin);
  });
  double count = counts[0];
  for (std::int64_t part = 1; part < ranges.number; ++part) {
    const double other = counts[static_cast<std::size_t>(part)];
    if (other > 0) merge_moments(count, p, p + C, other, p + part * 4 * C, p + part * 4 * C + C, C);
    count += other;
  }
  return all.select(0, 0).slice(0, 0, 2);
}

void check(const char* where, const Array& x, const char* name, const Array& p) {
  detail::require_parameter(where, name, p, x.dtype());
  if (p.shape() != Shape{x.shape(1)})
    fail(where, fmt::format("x has {} channels, {} is {}", x.shape(1), name, p.shape().to_string()),
         fmt::format("x {}", x.shape().to_string()));
}

void check_x(const char* where, const Array& x) {
  require_floating(where, "x", x);
  if (x.rank() < 2 || x.size() == 0)
    fail(where, fmt::format("x is {}, must be [N, C, ...] and not empty", x.shape().to_string()));
}

void check_like(const char* where, const char* name, const Array& a, const Array& x) {
  if (!a.defined()) return;
  require_dtype(where, name, a, x.dtype());
  if (a.shape() != x.shape())
    fail(where, fmt::format("{} is {}, must be {}", name, a.shape().to_string(), x.shape().to_string()));
}

/// w inverse by channel, as both passes multiply by it.
std::vector<float> scales(const Array& w, const Array& inverse) {
  std::vector<float> scale(static_cast<std::size_t>(w.size()));
  for (std::size_t c = 0; c < scale.size(); ++c) scale[c] = w.data<float>()[c] * inverse.data<float>()[c];
  return scale;
}

/// The last step of both forwards; parameters as as_parameter, x and add as as_images gives them.
Array apply(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& inverse, bool relu,
            const Array& add) {
  Array y = empty_images(x.shape(), x.dtype());
  if (x.dtype() == DType::f64) {
    reference::batch_norm_apply<double>(x, w, b, mean, inverse, relu, add, y);
    return y;
  }
  const std::int64_t C = x.shape(1);
  const std::vector<float> scale = scales(w, inverse);
  const float *pm = mean.data<float>(), *pb = b.data<float>();
  visit_narrow(x.dtype(), [&]<class E>(E) {
    const E *px = x.data<E>(), *pa = data_or_null<E>(add);
    E* py = y.data<E>();
    backwards(x.size() / C, C, [&](std::int64_t begin, std::int64_t rows) {
      const std::int64_t i = begin * C;
      apply_rows(px + i, pa == nullptr ? nullptr : pa + i, pm, scale.data(), pb, relu, py + i, rows, C);
    });
  });
  return y;
}

Array inverse_deviation(const Array& variance, double epsilon) {
  Array inverse = Array::empty(variance.shape(), variance.dtype());
  for (std::int64_t c = 0; c < variance.size(); ++c) {
    if (variance.dtype() == DType::f64)
      inverse.data<double>()[c] = 1 / std::sqrt(variance.data<double>()[c] + epsilon);
    else
      inverse.data<float>()[c] =
          static_cast<float>(1 / std::sqrt(static_cast<double>(variance.data<float>()[c]) + epsilon));
  }
  return inverse;
}

/// dx, dw, db and dadd of narrow floats; dw and db f32. `shift` is b where the mask comes from x, y where from there.
template <class E>
void train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse,
                const Array& y, const Array& shift, BatchNormGrads& grads) {
  const std::int64_t C = x.shape(1), M = x.size() / C, block = block_rows(C);
  const auto size = static_cast<std::size_t>(C);
  std::vector<float> scale = scales(w, inverse), db_mean(size), slope(size);
  const E *pdy = dy.data<E>(), *px = x.data<E>();
  const float* pm = mean.data<float>();
  E* padd = grads.dadd.defined() ? grads.dadd.data<E>() : nullptr;
  const ReluMask<E> mask{data_or_null<E>(y), scale.data(), data_or_null<float>(shift)};
  const Parts ranges = parallel_parts(M, rows_grain(C));
  const auto parts = static_cast<std::size_t>(ranges.number);
  std::vector<double> db(parts * size), dw(parts * size);
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    const std::size_t at = static_cast<std::size_t>(part) * size;
    for (std::int64_t r = begin; r < end; r += block) {
      const std::int64_t i = r * C;
      reduce_rows(pdy + i, px + i, mask.from(i), pm, padd == nullptr ? nullptr : padd + i, std::min(block, end - r), C,
                  db.data() + at, dw.data() + at);
    }
  });
  for (std::size_t c = 0; c < size; ++c) {
    for (std::size_t p = 1; p < parts; ++p) db[c] += db[p * size + c], dw[c] += dw[p * size + c];
    const auto deviation = static_cast<double>(inverse.data<float>()[c]), count = static_cast<double>(M);
    db_mean[c] = static_cast<float>(db[c] / count);
    slope[c] = static_cast<float>(dw[c] * deviation * deviation / count);
    grads.db.data<float>()[c] = static_cast<float>(db[c]);
    grads.dw.data<float>()[c] = static_cast<float>(dw[c] * deviation);
  }
  // The masked gradient is dadd where that was asked for: an array less to read, or a mask less to make.
  const E* masked = padd != nullptr ? padd : pdy;
  const ReluMask<E> left = padd != nullptr ? ReluMask<E>{} : mask;
  E* pdx = grads.dx.data<E>();
  backwards(M, C, [&](std::int64_t begin, std::int64_t rows) {
    const std::int64_t i = begin * C;
    grad_rows(masked + i, px + i, left.from(i), pm, scale.data(), db_mean.data(), slope.data(), pdx + i, rows, C);
  });
}

/// Of both gradients, after their checks: b is defined where the mask comes from x, y where it comes from there.
BatchNormGrads train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean, const Array& inverse,
                          const Array& y, const Array& b, bool want_dadd) {
  const Array gradient = as_images(dy), source = as_images(x);
  const Array weight = as_parameter(w, x.dtype()), means = as_parameter(mean, x.dtype()),
              inverses = as_parameter(inverse, x.dtype()), shift = as_parameter(b, x.dtype());
  Array output = as_images(y);
  const DType wide = work_dtype(x.dtype());
  BatchNormGrads grads{
      empty_images(source.shape(), x.dtype()), Array::empty(w.shape(), wide), Array::empty(w.shape(), wide), {}};
  if (want_dadd) grads.dadd = empty_images(source.shape(), x.dtype());
  if (x.dtype() == DType::f64) {
    if (b.defined()) output = apply(source, weight, shift, means, inverses, true, {});
    reference::batch_norm_train_grad<double>(gradient, source, weight, means, inverses, output, grads);
  } else {
    visit_narrow(x.dtype(),
                 [&]<class E>(E) { train_grad<E>(gradient, source, weight, means, inverses, output, shift, grads); });
  }
  grads.dx = grads.dx.reshape(x.shape());
  if (want_dadd) grads.dadd = grads.dadd.reshape(x.shape());
  grads.dw = grads.dw.to(w.dtype());
  grads.db = grads.db.to(w.dtype());
  return grads;
}

void check_grad(const char* where, const Array& dy, const Array& x, const Array& w, const Array& mean,
                const Array& inverse_deviation) {
  check_x(where, x);
  require_defined(where, "dy", dy);
  check_like(where, "dy", dy, x);
  check(where, x, "w", w);
  check(where, x, "mean", mean);
  check(where, x, "inverse_deviation", inverse_deviation);
}

}  // namespace

BatchNormForward batch_norm_train(const Array& x, const Array& w, const Array& b, double epsilon, bool relu,
                                  const Array& add) {
  const profile::KernelScope profiled("batch_norm_train", x.dtype(), [&] { return profile::moves(x, x, add); });
  check_x("batch_norm", x);
  check("batch_norm", x, "w", w);
  check("batch_norm", x, "b", b);
  check_like("batch_norm", "add", add, x);
  const Array source = as_images(x);
  const std::int64_t C = x.shape(1);
  const DType wide = work_dtype(x.dtype());
  BatchNormForward result{{}, Array::empty({C}, wide), {}, Array::empty({C}, wide)};
  if (x.dtype() == DType::f64) {
    reference::batch_statistics<double>(source, result.mean, result.variance);
  } else {
    const auto M = static_cast<double>(x.size() / C);
    Array found;
    visit_narrow(x.dtype(), [&]<class E>(E) { found = moments(source.data<E>(), x.size() / C, C); });
    const double* p = found.data<double>();
    for (std::int64_t c = 0; c < C; ++c) {
      result.mean.data<float>()[c] = static_cast<float>(p[c]);
      result.variance.data<float>()[c] = static_cast<float>(p[C + c] / M);
    }
  }
  result.inverse_deviation = inverse_deviation(result.variance, epsilon);
  result.y = apply(source, as_parameter(w, x.dtype()), as_parameter(b, x.dtype()), result.mean,
                   result.inverse_deviation, relu, as_images(add))
                 .reshape(x.shape());
  return result;
}

Array batch_norm_evaluate(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& variance,
                          double epsilon, bool relu, const Array& add) {
  const profile::KernelScope profiled("batch_norm_evaluate", x.dtype(), [&] { return profile::moves(x, x, add); });
  check_x("batch_norm", x);
  check("batch_norm", x, "w", w);
  check("batch_norm", x, "b", b);
  check("batch_norm", x, "mean", mean);
  check("batch_norm", x, "variance", variance);
  check_like("batch_norm", "add", add, x);
  const auto parameter = [&](const Array& p) { return as_parameter(p, x.dtype()); };
  return apply(as_images(x), parameter(w), parameter(b), parameter(mean),
               inverse_deviation(parameter(variance), epsilon), relu, as_images(add))
      .reshape(x.shape());
}

BatchNormGrads batch_norm_train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                                     const Array& inverse_deviation, const Array& y, bool want_dadd) {
  const profile::KernelScope profiled("batch_norm_train_grad", x.dtype(), [&] { return profile::moves(dy, x, y, x); });
  const char* where = "batch_norm_train_grad";
  check_grad(where, dy, x, w, mean, inverse_deviation);
  check_like(where, "y", y, x);
  return train_grad(dy, x, w, mean, inverse_deviation, y, {}, want_dadd);
}

BatchNormGrads batch_norm_relu_grad(const Array& dy, const Array& x, const Array& w, const Array& b, const Array& mean,
                                    const Array& inverse_deviation) {
  const profile::KernelScope profiled("batch_norm_relu_grad", x.dtype(), [&] { return profile::moves(dy, x, x); });
  const char* where = "batch_norm_relu_grad";
  check_grad(where, dy, x, w, mean, inverse_deviation);
  check(where, x, "b", b);
  return train_grad(dy, x, w, mean, inverse_deviation, {}, b, false);
}

}  // namespace tandem::kernels
