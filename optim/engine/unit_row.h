// UnitRow: the weights of one output unit, index i of the first dimension of a parameter: a row of a matrix, a filter
// of a convolution. A parameter of rank 0 or 1 is one row. For rules that work by unit (centralize.h, agc.h,
// project.h).
#pragma once

#include <vector>

#include <tandem/core/threads.h>
#include <tandem/optim/engine/look.h>

namespace tandem {

/// `parts` stretches of `length` elements of the arena, `stride` apart.
struct UnitRow {
  std::size_t tensor;
  std::int64_t begin, length, stride, parts;

  std::int64_t size() const { return length * parts; }
  /// f(begin, end) on each stretch.
  template <class F>
  void for_parts(F&& f) const {
    for (std::int64_t p = 0; p < parts; ++p) f(begin + p * stride, begin + p * stride + length);
  }
};

/// The rows of all parameters of at least this rank, in the order of the arena.
inline std::vector<UnitRow> rows_of(const Frame& frame, int least_rank) {
  std::vector<UnitRow> all;
  for (std::size_t t = 0; t < frame.tensors.size(); ++t) {
    const ParameterInfo& info = frame.parameters[t];
    const std::int64_t begin = frame.tensors[t].begin, size = frame.tensors[t].end - begin;
    if (info.shape.rank() < least_rank || size == 0) continue;
    if (info.shape.rank() < 2 || info.shape[0] == 1) {
      all.push_back({t, begin, size, size, 1});
      continue;
    }
    const std::int64_t count = info.shape[0], length = info.strides[0], stride = count * length;
    for (std::int64_t i = 0; i < count; ++i) all.push_back({t, begin + i * length, length, stride, size / stride});
  }
  return all;
}

/// f(row) on the rows of parameters with a gradient in this step, in parallel.
template <class F>
void for_arrived_rows(const Frame& frame, const std::vector<UnitRow>& rows, F&& f) {
  constexpr std::int64_t kRowsPerThread = 64;
  parallel_for(static_cast<std::int64_t>(rows.size()), kRowsPerThread, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const UnitRow& row = rows[static_cast<std::size_t>(i)];
      if (frame.has_gradient[row.tensor] != 0) f(row);
    }
  });
}

/// value(x) of all elements of a row, added in double in order.
template <class T, class F>
double row_sum(const UnitRow& row, const T* x, F&& value) {
  double sum = 0;
  row.for_parts([&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum += value(static_cast<double>(x[i]));
  });
  return sum;
}

/// x of all elements of a row := value.
template <class T>
void fill_row(const UnitRow& row, T* x, T value) {
  row.for_parts([&](std::int64_t begin, std::int64_t end) { std::fill(x + begin, x + end, value); });
}

/// All gradients to `to`, element 0 of the arena.
template <class T>
void copy_gradients(const Frame& frame, const GradientSource<T>& gradients, T* to) {
  for_blocks<T>(frame.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
    const T* const g = gradients.read(begin, end, scratch);
    std::copy(g, g + (end - begin), to + begin);
  });
}

}  // namespace tandem
