// Batch normalisation on memory read as rows of C channels, [N H W, C]: statistics in one pass over memory, then
// normalise + add + ReLU in one; backward reduces in one pass and applies in one. Memory decides, so each pass touches
// each number once. f32 here; f64 through reference/batch_norm.h, bf16 through f32.
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
#include <tandem/core/kernels/reference/batch_norm.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using detail::as_images, detail::empty_images;

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

/// Of each channel over all rows.
std::vector<Moments> moments(const float* x, std::int64_t rows, std::int64_t C) {
  const std::int64_t block = block_rows(C);
  const auto size = static_cast<std::size_t>(C);
  const Parts ranges = parallel_parts(rows, rows_grain(C));
  std::vector<std::vector<Moments>> parts(static_cast<std::size_t>(ranges.number), std::vector<Moments>(size));
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    std::vector<Moments>& mine = parts[static_cast<std::size_t>(part)];
    std::vector<double> mean(size), squares(size);
    for (std::int64_t r = begin; r < end; r += block) {
      const std::int64_t n = std::min(block, end - r);
      block_moments(x + r * C, n, C, mean.data(), squares.data());
      for (std::size_t c = 0; c < size; ++c) mine[c].merge(static_cast<double>(n), mean[c], squares[c]);
    }
  });
  for (std::size_t part = 1; part < parts.size(); ++part) {
    for (std::size_t c = 0; c < size; ++c) {
      const Moments& other = parts[part][c];
      if (other.count > 0) parts[0][c].merge(other.count, other.mean, other.squares);
    }
  }
  return std::move(parts[0]);
}

void check(const char* where, const Array& x, const char* name, const Array& p) {
  require_dtype(where, name, p, x.dtype() == DType::bf16 ? p.dtype() : x.dtype());
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

Array f32(const Array& x) { return x.defined() ? x.to(DType::f32) : x; }

/// The last step of both forwards, f32 or f64; parameters are contiguous, x and add as as_images gives them.
Array apply(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& inverse, bool relu,
            const Array& add) {
  Array y = empty_images(x.shape(), x.dtype());
  if (x.dtype() == DType::f64) {
    reference::batch_norm_apply<double>(x, w, b, mean, inverse, relu, add, y);
    return y;
  }
  const std::int64_t C = x.shape(1);
  std::vector<float> scale(static_cast<std::size_t>(C));
  for (std::size_t c = 0; c < scale.size(); ++c) scale[c] = w.data<float>()[c] * inverse.data<float>()[c];
  const float *px = data_or_null<float>(x), *pa = data_or_null<float>(add), *pm = data_or_null<float>(mean),
              *pb = data_or_null<float>(b);
  float* py = y.data<float>();
  backwards(x.size() / C, C, [&](std::int64_t begin, std::int64_t rows) {
    const std::int64_t i = begin * C;
    apply_rows(px + i, pa == nullptr ? nullptr : pa + i, pm, scale.data(), pb, relu, py + i, rows, C);
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

}  // namespace

BatchNormForward batch_norm_train(const Array& x, const Array& w, const Array& b, double epsilon, bool relu,
                                  const Array& add) {
  const profile::KernelScope profiled("batch_norm_train", x.dtype(), [&] { return profile::moves(x, x, add); });
  check_x("batch_norm", x);
  check("batch_norm", x, "w", w);
  check("batch_norm", x, "b", b);
  check_like("batch_norm", "add", add, x);
  if (x.dtype() == DType::bf16) {
    BatchNormForward wide = batch_norm_train(f32(x), f32(w), f32(b), epsilon, relu, f32(add));
    wide.y = wide.y.to(DType::bf16);
    return wide;
  }
  const Array source = as_images(x);
  const std::int64_t C = x.shape(1);
  BatchNormForward result{{}, Array::empty({C}, x.dtype()), {}, Array::empty({C}, x.dtype())};
  if (x.dtype() == DType::f64) {
    reference::batch_statistics<double>(source, result.mean, result.variance);
  } else {
    const std::vector<Moments> all = moments(source.data<float>(), x.size() / C, C);
    for (std::int64_t c = 0; c < C; ++c) {
      const Moments& m = all[static_cast<std::size_t>(c)];
      result.mean.data<float>()[c] = static_cast<float>(m.mean);
      result.variance.data<float>()[c] = static_cast<float>(m.squares / m.count);
    }
  }
  result.inverse_deviation = inverse_deviation(result.variance, epsilon);
  result.y = apply(source, w.contiguous(), b.contiguous(), result.mean, result.inverse_deviation, relu, as_images(add))
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
  if (x.dtype() == DType::bf16)
    return batch_norm_evaluate(f32(x), f32(w), f32(b), f32(mean), f32(variance), epsilon, relu, f32(add))
        .to(DType::bf16);
  return apply(as_images(x), w.contiguous(), b.contiguous(), mean.contiguous(),
               inverse_deviation(variance.contiguous(), epsilon), relu, as_images(add))
      .reshape(x.shape());
}

BatchNormGrads batch_norm_train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                                     const Array& inverse_deviation, const Array& y, bool want_dadd) {
  const profile::KernelScope profiled("batch_norm_train_grad", x.dtype(), [&] { return profile::moves(dy, x, y, x); });
  const char* where = "batch_norm_train_grad";
  check_x(where, x);
  require_defined(where, "dy", dy);
  check_like(where, "dy", dy, x);
  check_like(where, "y", y, x);
  check(where, x, "w", w);
  check(where, x, "mean", mean);
  check(where, x, "inverse_deviation", inverse_deviation);
  if (x.dtype() == DType::bf16) {
    BatchNormGrads wide =
        batch_norm_train_grad(f32(dy), f32(x), f32(w), f32(mean), f32(inverse_deviation), f32(y), want_dadd);
    wide.dx = wide.dx.to(DType::bf16);
    wide.dw = wide.dw.to(w.dtype());
    wide.db = wide.db.to(w.dtype());
    if (want_dadd) wide.dadd = wide.dadd.to(DType::bf16);
    return wide;
  }
  const Array gradient = as_images(dy), source = as_images(x), output = as_images(y), weight = w.contiguous();
  const std::int64_t C = x.shape(1), M = x.size() / C, block = block_rows(C);
  BatchNormGrads result{
      empty_images(source.shape(), x.dtype()), Array::empty({C}, x.dtype()), Array::empty({C}, x.dtype()), {}};
  if (want_dadd) result.dadd = empty_images(source.shape(), x.dtype());
  const auto in_shape = [&] {
    result.dx = result.dx.reshape(x.shape());
    if (want_dadd) result.dadd = result.dadd.reshape(x.shape());
    return result;
  };
  if (x.dtype() == DType::f64) {
    reference::batch_norm_train_grad<double>(gradient, source, weight, mean.contiguous(),
                                             inverse_deviation.contiguous(), output, result);
    return in_shape();
  }
  const Array means = mean.contiguous(), inverses = inverse_deviation.contiguous();
  const float *pdy = data_or_null<float>(gradient), *px = data_or_null<float>(source),
              *py = data_or_null<float>(output), *pm = data_or_null<float>(means);
  float* padd = want_dadd ? result.dadd.data<float>() : nullptr;
  const bool relu = y.defined();
  const auto size = static_cast<std::size_t>(C);
  const Parts ranges = parallel_parts(M, rows_grain(C));
  const auto parts = static_cast<std::size_t>(ranges.number);
  std::vector<double> db(parts * size), dw(parts * size);
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    const std::size_t at = static_cast<std::size_t>(part) * size;
    for (std::int64_t r = begin; r < end; r += block) {
      const std::int64_t i = r * C;
      reduce_rows(pdy + i, px + i, relu ? py + i : nullptr, pm, want_dadd ? padd + i : nullptr,
                  std::min(block, end - r), C, db.data() + at, dw.data() + at);
    }
  });
  std::vector<float> scale(size), db_mean(size), slope(size);
  for (std::size_t c = 0; c < size; ++c) {
    for (std::size_t p = 1; p < parts; ++p) db[c] += db[p * size + c], dw[c] += dw[p * size + c];
    const auto inverse = static_cast<double>(inverses.data<float>()[c]), count = static_cast<double>(M);
    scale[c] = static_cast<float>(static_cast<double>(weight.data<float>()[c]) * inverse);
    db_mean[c] = static_cast<float>(db[c] / count);
    slope[c] = static_cast<float>(dw[c] * inverse * inverse / count);
    result.db.data<float>()[c] = static_cast<float>(db[c]);
    result.dw.data<float>()[c] = static_cast<float>(dw[c] * inverse);
  }
  // The masked gradient is dadd where that was asked for: one array less to read.
  const bool masks = relu && !want_dadd;
  const float* masked = want_dadd ? padd : pdy;
  float* pdx = result.dx.data<float>();
  backwards(M, C, [&](std::int64_t begin, std::int64_t rows) {
    const std::int64_t i = begin * C;
    grad_rows(masked + i, px + i, masks ? py + i : nullptr, pm, scale.data(), db_mean.data(), slope.data(), pdx + i,
              rows, C);
  });
  return in_shape();
}

}  // namespace tandem::kernels
