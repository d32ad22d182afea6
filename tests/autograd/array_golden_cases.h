// The golden cases of autograd/array_ops.h: the same names as in make_array_golden.py. Comparisons stand there as i64.
#pragma once

#include <tandem/autograd/array_ops.h>

#include "autograd/golden_cases.h"

namespace tandem::golden {

inline const std::map<std::string, Compute>& array_cases() {
  using In = const Inputs&;
  const auto narrowed = [](DType dtype) { return [dtype](In in) { return in.x[0].to(dtype).to(in.x[0].dtype()); }; };
  const auto truth = [](auto compare) { return [compare](In in) { return to(compare(in), DType::i64); }; };
  static const std::map<std::string, Compute> table = {
      {"to.f16", narrowed(DType::f16)},
      {"to.bf16", narrowed(DType::bf16)},
      {"equal", truth([](In in) { return equal(in.a[0], in.a[1]); })},
      {"equal.number", truth([](In in) { return equal(in.a[0], 2); })},
      {"not_equal", truth([](In in) { return not_equal(in.a[0], in.a[1]); })},
      {"not_equal.number", truth([](In in) { return not_equal(in.a[0], 2); })},
      {"greater", truth([](In in) { return greater(in.a[0], in.a[1]); })},
      {"greater.number", truth([](In in) { return greater(in.a[0], 2); })},
      {"greater_equal", truth([](In in) { return greater_equal(in.a[0], in.a[1]); })},
      {"greater_equal.number", truth([](In in) { return greater_equal(in.a[0], 2); })},
      {"less", truth([](In in) { return less(in.a[0], in.a[1]); })},
      {"less.number", truth([](In in) { return less(in.a[0], 2); })},
      {"less_equal", truth([](In in) { return less_equal(in.a[0], in.a[1]); })},
      {"less_equal.number", truth([](In in) { return less_equal(in.a[0], 2); })},
      {"sign", [](In in) { return sign(in.x[0]); }},
      {"reciprocal", [](In in) { return reciprocal(in.x[0]); }},
      {"min.all", [](In in) { return min(in.x[0]); }},
      {"min.dims",
       [](In in) {
         return min(in.x[0], {0, 2}, true);
       }},
      {"argmin", [](In in) { return argmin(in.a[0], 1); }},
      {"one_hot", [](In in) { return one_hot(in.a[0], 5); }},
      {"select", [](In in) { return select(in.x[0], 1, -1); }},
      {"squeeze", [](In in) { return squeeze(in.x[0], 1); }},
      {"unsqueeze", [](In in) { return unsqueeze(in.x[0], -2); }},
      {"contiguous", [](In in) { return contiguous(transpose(in.x[0], 0, 2)); }},
      {"index.ranges", [](In in) { return in.x[0](slice(1), all, -1); }},
      {"index.steps", [](In in) { return in.x[0](all, slice(0, 3, 2), slice(1, -1)); }},
  };
  return table;
}

}  // namespace tandem::golden
