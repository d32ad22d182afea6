// Batch normalisation on memory read as rows of C channels, [N H W, C]: statistics in one pass over memory, then
// normalise + add + ReLU in one; backward reduces in one pass and applies in one. Memory decides, so each pass touches
// each number once. f32 here; f64 through reference/batch_norm.h, bf16 through f32.
//
// Statistics: blocks of rows that fit in cache are read twice, for their mean and for the squares about it, and merged
// in double (Chan, Golub & LeVeque 1979), so a large mean does not cancel. Parts are merged in order: deterministic for
// a number of threads.
#include <tandem/core/kernels/batch_norm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/kernels/batch_norm_rows.h>
#include <tandem/core/kernels/reference/batch_norm.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

std::int64_t rows_grain(std::int64_t C) { return std::max<std::int64_t>(1, 16384 / C); }
/// Rows of a block: 64 KB, so that the second reading finds it in cache.
std::int64_t block_rows(std::int64_t C) { return std::clamp<std::int64_t>(16384 / C, 8, 512); }

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

/// Mean and sum of squares about it, of one part of the rows, per channel.
struct Moments {
  std::int64_t count = 0;
  std::vector<double> mean, squares;

  explicit Moments(std::int64_t C) : mean(static_cast<std::size_t>(C)), squares(static_cast<std::size_t>(C)) {}

  void merge(std::int64_t other_count, std::size_t c, double other_mean, double other_squares) {
    const auto a = static_cast<double>(count), b = static_cast<double>(other_count);
    const double difference = other_mean - mean[c];
    mean[c] += difference * b / (a + b);
    squares[c] += other_squares + difference * difference * a * b / (a + b);
  }
};

Moments moments(const float* x, std::int64_t rows, std::int64_t C) {
  const std::int64_t grain = rows_grain(C), block = block_rows(C);
  std::vector<Moments> parts(static_cast<std::size_t>(parallel_parts(rows, grain)), Moments(C));
  parallel_for_parts(rows, grain, [&](std::int64_t begin, std::int64_t end, int part) {
    Moments& mine = parts[static_cast<std::size_t>(part)];
    std::vector<float> sums(static_cast<std::size_t>(C)), squares(static_cast<std::size_t>(C));
    for (std::int64_t r = begin; r < end; r += block) {
      const std::int64_t n = std::min(block, end - r);
      block_moments(x + r * C, n, C, sums.data(), squares.data());
      for (std::size_t c = 0; c < sums.size(); ++c)
        mine.merge(n, c, static_cast<double>(sums[c]) / static_cast<double>(n), static_cast<double>(squares[c]));
      mine.count += n;
    }
  });
  Moments all = std::move(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    for (std::size_t c = 0; c < all.mean.size(); ++c)
      if (parts[i].count > 0) all.merge(parts[i].count, c, parts[i].mean[c], parts[i].squares[c]);
    all.count += parts[i].count;
  }
  return all;
}

void check(const char* where, const Array& x, const char* name, const Array& p) {
  require_dtype(where, name, p, x.dtype() == DType::bf16 ? p.dtype() : x.dtype());
  if (p.shape() != Shape{x.shape(1)})
    fail(where, fmt::format("x has {} channels, {} is {}", x.shape(1), name, p.shape().to_string()),
         fmt::format("x {}", x.shape().to_string()));
}

void check_x(const char* where, const Array& x) {
  require_defined(where, "x", x);
  if (!is_floating(x.dtype())) fail(where, fmt::format("x is {}, must be floating", name(x.dtype())));
  if ((x.rank() != 2 && x.rank() != 4) || x.size() == 0)
    fail(where, fmt::format("x is {}, must be [N, C] or [N, C, H, W] and not empty", x.shape().to_string()));
}

void check_like(const char* where, const char* name, const Array& a, const Array& x) {
  if (!a.defined()) return;
  require_dtype(where, name, a, x.dtype());
  if (a.shape() != x.shape())
    fail(where, fmt::format("{} is {}, must be {}", name, a.shape().to_string(), x.shape().to_string()));
}

Array rows_of(const Array& x) {
  if (!x.defined()) return x;
  return x.rank() == 4 ? x.to_layout(Layout::channels_last) : x.contiguous();
}
Array f32(const Array& x) { return x.defined() ? x.to(DType::f32) : x; }
Array new_rows(const Array& x) { return Array::empty(x.shape(), x.dtype(), Layout::channels_last); }
const float* data(const Array& x) { return x.defined() ? x.data<float>() : nullptr; }

/// The last step of both forwards, f32 or f64; parameters are contiguous, x and add as rows_of gives them.
Array apply(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& inverse, bool relu,
            const Array& add) {
  Array y = new_rows(x);
  if (x.dtype() == DType::f64) {
    reference::batch_norm_apply<double>(x, w, b, mean, inverse, relu, add, y);
    return y;
  }
  const std::int64_t C = x.shape(1);
  std::vector<float> scale(static_cast<std::size_t>(C));
  for (std::size_t c = 0; c < scale.size(); ++c) scale[c] = w.data<float>()[c] * inverse.data<float>()[c];
  const float *px = data(x), *pa = data(add), *pm = data(mean), *pb = data(b);
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
  check_x("batch_norm", x);
  check("batch_norm", x, "w", w);
  check("batch_norm", x, "b", b);
  check_like("batch_norm", "add", add, x);
  if (x.dtype() == DType::bf16) {
    BatchNormForward wide = batch_norm_train(f32(x), f32(w), f32(b), epsilon, relu, f32(add));
    wide.y = wide.y.to(DType::bf16);
    return wide;
  }
  const Array source = rows_of(x);
  const std::int64_t C = x.shape(1);
  BatchNormForward result{{}, Array::empty({C}, x.dtype()), {}, Array::empty({C}, x.dtype())};
  if (x.dtype() == DType::f64) {
    reference::batch_statistics<double>(source, result.mean, result.variance);
  } else {
    const Moments all = moments(source.data<float>(), x.size() / C, C);
    for (std::int64_t c = 0; c < C; ++c) {
      const auto i = static_cast<std::size_t>(c);
      result.mean.data<float>()[c] = static_cast<float>(all.mean[i]);
      result.variance.data<float>()[c] = static_cast<float>(all.squares[i] / static_cast<double>(all.count));
    }
  }
  result.inverse_deviation = inverse_deviation(result.variance, epsilon);
  result.y = apply(source, w.contiguous(), b.contiguous(), result.mean, result.inverse_deviation, relu, rows_of(add));
  return result;
}

Array batch_norm_evaluate(const Array& x, const Array& w, const Array& b, const Array& mean, const Array& variance,
                          double epsilon, bool relu, const Array& add) {
  check_x("batch_norm", x);
  check("batch_norm", x, "w", w);
  check("batch_norm", x, "b", b);
  check("batch_norm", x, "mean", mean);
  check("batch_norm", x, "variance", variance);
  check_like("batch_norm", "add", add, x);
  if (x.dtype() == DType::bf16)
    return batch_norm_evaluate(f32(x), f32(w), f32(b), f32(mean), f32(variance), epsilon, relu, f32(add))
        .to(DType::bf16);
  return apply(rows_of(x), w.contiguous(), b.contiguous(), mean.contiguous(),
               inverse_deviation(variance.contiguous(), epsilon), relu, rows_of(add));
}

BatchNormGrads batch_norm_train_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                                     const Array& inverse_deviation, const Array& y, bool want_dadd) {
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
    if (want_dadd) wide.dadd = wide.dadd.to(DType::bf16);
    return wide;
  }
  const Array gradient = rows_of(dy), source = rows_of(x), output = rows_of(y), weight = w.contiguous();
  const std::int64_t C = x.shape(1), M = x.size() / C, grain = rows_grain(C), block = block_rows(C);
  BatchNormGrads result{new_rows(x), Array::empty({C}, x.dtype()), Array::empty({C}, x.dtype()), {}};
  if (want_dadd) result.dadd = new_rows(x);
  if (x.dtype() == DType::f64) {
    reference::batch_norm_train_grad<double>(gradient, source, weight, mean.contiguous(),
                                             inverse_deviation.contiguous(), output, result);
    return result;
  }
  const Array means = mean.contiguous(), inverses = inverse_deviation.contiguous();
  const float *pdy = data(gradient), *px = data(source), *py = data(output), *pm = data(means);
  float* padd = want_dadd ? result.dadd.data<float>() : nullptr;
  const bool relu = y.defined();
  const auto size = static_cast<std::size_t>(C);
  const auto parts = static_cast<std::size_t>(parallel_parts(M, grain));
  std::vector<double> db(parts * size), dw(parts * size);
  parallel_for_parts(M, grain, [&](std::int64_t begin, std::int64_t end, int part) {
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
  return result;
}

}  // namespace tandem::kernels
