// The bound that sums of products of bf16 numbers keep: products are exact in f32, n additions round once each, and the
// result once more where it is bf16.
//   |y - exact| <= n 2^-24 sum |a b| (1 + n 2^-24) + (2^-8 |exact| of a bf16 result)
#pragma once

#include <cmath>

#include <tandem/core/array.h>

namespace tandem::testing {

/// The largest error as a share of the bound: at most 1. `magnitude` is sum |a b| for each element of the result.
inline double share_of_bound(const Array& y, const Array& exact, const Array& magnitude, std::int64_t terms) {
  if (!(y.shape() == exact.shape())) return INFINITY;
  const std::vector<double> got = y.to_vector<double>(), truth = exact.to_vector<double>(),
                            sum = magnitude.to_vector<double>();
  const double unit = std::ldexp(static_cast<double>(terms), -24);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double sums = unit * (1 + unit) * sum[i];
    const double rounding = y.dtype() == DType::bf16 ? std::ldexp(std::fabs(truth[i]) + sums, -8) : 0;
    const double error = std::fabs(got[i] - truth[i]);
    if (!std::isfinite(error)) return INFINITY;
    if (error > 0) worst = std::max(worst, error / (sums + rounding));
  }
  return worst;
}

/// x rounded to bf16, in double: what a bf16 kernel computes with.
inline Array rounded(const Array& x) { return x.to(DType::bf16).to(DType::f64); }

}  // namespace tandem::testing
