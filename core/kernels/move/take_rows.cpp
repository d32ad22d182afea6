// Rows of a table by index, and the transpose: gradients added to the rows that they came from.
#include <tandem/core/kernels/move/checked_index.h>
#include <tandem/core/kernels/move/index.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/pack.h>
#include <tandem/core/kernels/reference/index.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace detail {

Array checked_index(const char* where, const Array& index, std::int64_t size) {
  require_defined(where, "index", index);
  require_dtype(where, "index", index, DType::i64);
  const Array plain = index.contiguous();
  const std::int64_t* values = plain.data<std::int64_t>();
  for (std::int64_t i = 0; i < plain.size(); ++i) {
    if (values[i] >= 0 && values[i] < size) continue;
    fail(where, "index out of range",
         fmt::format("index{} is {}, valid are 0..{}", index_at(index.shape(), i).to_string(), values[i], size - 1));
  }
  return plain;
}

}  // namespace detail

namespace {

using detail::checked_index;

// take_rows: the shape of index followed by the shape of a row of the table.
Shape rows_shape(const Shape& index, const Shape& table) {
  Shape shape = index;
  for (int d = 1; d < table.rank(); ++d) shape.push_back(table[d]);
  return shape;
}

/// A row of the table, and which rows of dy are added to it: `sources[first .. last)`.
struct Target {
  std::int64_t row, first, last;
};

struct Plan {
  std::vector<Target> targets;        ///< in the order of rows
  std::vector<std::int64_t> sources;  ///< those of one target in the order of the index
};

Plan plan_targets(const std::int64_t* rows, std::int64_t count) {
  std::vector<std::pair<std::int64_t, std::int64_t>> sorted(static_cast<std::size_t>(count));
  for (std::size_t j = 0; j < sorted.size(); ++j) sorted[j] = {rows[j], static_cast<std::int64_t>(j)};
  std::sort(sorted.begin(), sorted.end());
  Plan plan;
  plan.sources.reserve(sorted.size());
  for (const auto& [row, source] : sorted) {
    const auto at = static_cast<std::int64_t>(plan.sources.size());
    if (plan.targets.empty() || plan.targets.back().row != row) plan.targets.push_back({row, at, at});
    plan.sources.push_back(source);
    ++plan.targets.back().last;
  }
  return plan;
}

constexpr std::int64_t kColumns = 256;
constexpr std::int64_t kTermsInFloat = 32;

/// to[c] = sum of in[sources[j], c] for n <= kColumns columns: up to 32 terms in float, beyond that on in double, so
/// that a frequent row does not lose the last ones.
template <class E>
TANDEM_TARGETS void add_rows(const E* in, std::int64_t step, const std::int64_t* sources, std::int64_t count,
                             std::int64_t n, E* __restrict to) {
  float sums[kColumns];
  double totals[kColumns];
  std::fill_n(sums, n, 0.0F);
  if (count > kTermsInFloat) std::fill_n(totals, n, 0.0);
  for (std::int64_t j = 0; j < count; ++j) {
    if (j > 0 && j % kTermsInFloat == 0) {
      for (std::int64_t c = 0; c < n; ++c) totals[c] += static_cast<double>(sums[c]), sums[c] = 0;
    }
    const E* from = in + sources[j] * step;
    for (std::int64_t c = 0; c < n; ++c) sums[c] += static_cast<float>(from[c]);
  }
  if (count <= kTermsInFloat) {
    for (std::int64_t c = 0; c < n; ++c) to[c] = E(sums[c]);
  } else {
    for (std::int64_t c = 0; c < n; ++c) to[c] = E(static_cast<float>(totals[c] + static_cast<double>(sums[c])));
  }
}

/// All rows of out [height, n]: sums, and zeros between them. Threads share the columns of rows that are added, so that
/// each sum keeps the order of the index for any number of threads.
template <class E>
void add_all(E* out, std::int64_t height, const E* in, const Plan& plan, std::int64_t n) {
  const auto targets = static_cast<std::int64_t>(plan.targets.size());
  const std::int64_t grain = std::max<std::int64_t>(1, 65536 / n);
  parallel_for(height, grain, [&](std::int64_t begin, std::int64_t end) {
    auto next = std::lower_bound(plan.targets.begin(), plan.targets.end(), begin,
                                 [](const Target& t, std::int64_t row) { return t.row < row; });
    for (std::int64_t row = begin; row < end;) {
      const bool is_last = next == plan.targets.end() || next->row >= end;
      const std::int64_t until = is_last ? end : next->row;
      std::fill(out + row * n, out + until * n, E(0.0F));
      row = until + 1;
      if (!is_last) ++next;
    }
  });
  const auto count = static_cast<std::int64_t>(plan.sources.size());
  parallel_for(n, std::max<std::int64_t>(16, 32768 / count), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = 0; t < targets; ++t) {
      const Target& target = plan.targets[static_cast<std::size_t>(t)];
      for (std::int64_t c = begin; c < end; c += kColumns) {
        add_rows(in + c, n, plan.sources.data() + target.first, target.last - target.first, std::min(kColumns, end - c),
                 out + target.row * n + c);
      }
    }
  });
}

}  // namespace

Array take_rows(const Array& x, const Array& index, const char* where) {
  const profile::KernelScope profiled("take_rows", x.dtype(), [&] { return profile::moves(index); });
  require_defined(where, "x", x);
  if (x.rank() < 1) fail(where, "x needs a dim of rows", "x " + to_string(x.shape()));
  const Array plain = checked_index(where, index, x.shape(0));
  const Array table = x.contiguous();
  Array y = Array::empty(rows_shape(index.shape(), x.shape()), x.dtype());
  if (y.size() == 0) return y;
  const auto row_bytes = static_cast<std::size_t>(table.size() / table.shape(0)) * size_of(x.dtype());
  const std::int64_t* rows = plain.data<std::int64_t>();
  const std::int64_t grain = std::max<std::int64_t>(1, 65536 / static_cast<std::int64_t>(row_bytes));
  parallel_for(plain.size(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      std::memcpy(y.bytes() + static_cast<std::size_t>(j) * row_bytes,
                  table.bytes() + static_cast<std::size_t>(rows[j]) * row_bytes, row_bytes);
    }
  });
  return y;
}

Array take_rows_grad(const Array& dy, const Array& index, const Shape& shape, const char* where) {
  const profile::KernelScope profiled("take_rows_grad", dy.dtype(),
                                      [&] { return profile::moves(dy, profile::bytes_of(shape, dy.dtype())); });
  require_defined(where, "dy", dy);
  if (shape.rank() < 1) fail(where, "the table needs a dim of rows", "shape " + to_string(shape));
  const Array plain = checked_index(where, index, shape[0]);
  if (!(dy.shape() == rows_shape(index.shape(), shape))) {
    fail(where, "the shape of dy does not fit",
         fmt::format("dy {}, index {}, table {}", to_string(dy.shape()), to_string(index.shape()), to_string(shape)));
  }
  if (dy.size() == 0) return Array::zeros(shape, dy.dtype());
  const Array rows_of_dy = dy.contiguous();
  const std::int64_t count = plain.size(), n = shape.count() / shape[0];
  const std::int64_t* rows = plain.data<std::int64_t>();
  if (work_dtype(dy.dtype()) == DType::f32) {
    Array y = Array::empty(shape, dy.dtype());
    const Plan plan = plan_targets(rows, count);
    visit_narrow(dy.dtype(), [&]<class E>(E) { add_all(y.data<E>(), shape[0], rows_of_dy.data<E>(), plan, n); });
    return y;
  }
  Array y = Array::zeros(shape, dy.dtype());
  visit_dtype(dy.dtype(), [&](auto scalar) {
    using T = decltype(scalar);
    reference::take_rows_add(y.data<T>(), rows_of_dy.data<T>(), rows, count, n);
  });
  return y;
}

}  // namespace tandem::kernels
