// The rows of the ops in autograd/array_ops.h, beside those of op_table.h.
#pragma once

#include <tandem/autograd/array_ops.h>

#include "op_table.h"

namespace tandem::test {

// NOLINTBEGIN: a table reads best in long lines.
// clang-format off

inline std::vector<OpRow> array_op_table() {
  using In = const Inputs&;
  Numbers n;
  const Shape s{2, 3, 4};
  const Tensor labels = Numbers::index({2, 0, 1, 2}, {4});
  return {
    {"to(x, dtype)", "f64 and back", [](In x) { return to(to(x[0], DType::f64), x[0].dtype()); }, {n.normal(s)}},
    {"to(x, dtype)", "whole numbers", [](In x) { return to(x[0], DType::i32); }, {n.distinct(s)}, false},
    {"equal(a, b)", "", [](In x) { return equal(x[0], x[1]); }, {n.distinct(s), n.distinct(s)}, false},
    {"not_equal(a, b)", "", [](In x) { return not_equal(x[0], x[1]); }, {n.distinct(s), n.distinct(s)}, false},
    {"greater(a, b)", "broadcast", [](In x) { return greater(x[0], x[1]); }, {n.distinct(s), n.distinct({4})}, false},
    {"greater_equal(a, b)", "", [](In x) { return greater_equal(x[0], x[1]); }, {n.distinct(s), n.distinct(s)}, false},
    {"less(a, b)", "", [](In x) { return less(x[0], x[1]); }, {n.distinct(s), n.distinct(s)}, false},
    {"less_equal(a, b)", "", [](In x) { return less_equal(x[0], x[1]); }, {n.distinct(s), n.distinct(s)}, false},
    {"equal(x, c)", "", [](In x) { return equal(x[0], 2); }, {labels}, false},
    {"not_equal(x, c)", "", [](In x) { return not_equal(x[0], 2); }, {labels}, false},
    {"greater(x, c)", "", [](In x) { return greater(x[0], 0); }, {n.distinct(s)}, false},
    {"greater_equal(x, c)", "", [](In x) { return greater_equal(x[0], 0); }, {n.distinct(s)}, false},
    {"less(x, c)", "", [](In x) { return less(x[0], 0); }, {n.distinct(s)}, false},
    {"less_equal(x, c)", "", [](In x) { return less_equal(x[0], 0); }, {n.distinct(s)}, false},
    {"sign(x)", "", [](In x) { return sign(x[0]); }, {n.distinct(s)}},
    {"reciprocal(x)", "", [](In x) { return reciprocal(x[0]); }, {n.uniform(s, 0.5, 2)}},
    {"min(x, dims, keep)", "all", [](In x) { return min(x[0]); }, {n.distinct(s)}},
    {"min(x, dims, keep)", "dims, keep", [](In x) { return min(x[0], {0, 2}, true); }, {n.distinct(s)}},
    {"argmin(x, dim)", "", [](In x) { return argmin(x[0], 1); }, {n.distinct(s)}, false},
    {"one_hot(labels, classes, dtype)", "", [](In x) { return one_hot(x[0], 3); }, {labels}, false},
    {"select(x, dim, index)", "last", [](In x) { return select(x[0], -1, -1); }, {n.normal(s)}},
    {"squeeze(x, dim)", "", [](In x) { return squeeze(x[0], 1); }, {n.normal({3, 1, 2})}},
    {"unsqueeze(x, dim)", "end", [](In x) { return unsqueeze(x[0], -1); }, {n.normal(s)}},
    {"contiguous(x)", "of a transpose", [](In x) { return contiguous(transpose(x[0], 0, 2)); }, {n.normal(s)}},
    {"index(x, indices)", "ranges", [](In x) { return x[0](slice(1), all, -1); }, {n.normal(s)}},
    {"index(x, indices)", "steps", [](In x) { return x[0](all, slice(0, kToEnd, 2), slice(1, -1)); }, {n.normal(s)}},
    {"index(x, indices)", "x[i][j]", [](In x) { return x[0][1][-1]; }, {n.normal(s)}},
  };
}

// clang-format on
// NOLINTEND

}  // namespace tandem::test
