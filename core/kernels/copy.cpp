// Copies by rows: dims are sorted by y's strides and merged where both sides run on, so that most copies are a few
// memcpy or short strided loops; the transposition N,C,H,W <-> N,H,W,C goes by tiles that stay in the L1 cache.
#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/convert.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/copy.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

struct Dim {
  std::int64_t size, step_x, step_y;
};

// The dims of the copy, fastest in y first, merged where both sides are consecutive.
std::vector<Dim> plan(const Array& x, const Array& y) {
  std::vector<Dim> dims;
  for (int d = 0; d < y.rank(); ++d) {
    if (y.shape(d) != 1) dims.push_back({y.shape(d), x.stride(d), y.stride(d)});
  }
  std::stable_sort(dims.begin(), dims.end(), [](const Dim& a, const Dim& b) { return a.step_y < b.step_y; });
  std::vector<Dim> merged;
  for (const Dim& dim : dims) {
    if (!merged.empty()) {
      Dim& last = merged.back();
      if (dim.step_x == last.step_x * last.size && dim.step_y == last.step_y * last.size) {
        last.size *= dim.size;
        continue;
      }
    }
    merged.push_back(dim);
  }
  if (merged.empty()) merged.push_back({1, 1, 1});
  return merged;
}

template <class X, class Y>
Y convert(X value) {
  return convert_number<Y>(value);
}

template <class X, class Y>
void copy_row(const X* x, std::int64_t step_x, Y* y, std::int64_t step_y, std::int64_t n) {
  if (step_x == 1 && step_y == 1) {
    if constexpr (std::is_same_v<X, Y>) {
      std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(X));
    } else {
      for (std::int64_t i = 0; i < n; ++i) y[i] = convert<X, Y>(x[i]);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i * step_y] = convert<X, Y>(x[i * step_x]);
  }
}

// y[i, j] = x[i, j] where j runs fastest in y and i in x.
template <class X, class Y>
void copy_tiles(const X* x, Y* y, const Dim& fast, const Dim& slow) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t i0 = 0; i0 < slow.size; i0 += kTile) {
    const std::int64_t i1 = std::min(i0 + kTile, slow.size);
    for (std::int64_t j0 = 0; j0 < fast.size; j0 += kTile) {
      const std::int64_t j1 = std::min(j0 + kTile, fast.size);
      for (std::int64_t i = i0; i < i1; ++i) {
        for (std::int64_t j = j0; j < j1; ++j) {
          y[i * slow.step_y + j * fast.step_y] = convert<X, Y>(x[i * slow.step_x + j * fast.step_x]);
        }
      }
    }
  }
}

template <class X, class Y>
void copy_typed(const X* x, Y* y, const std::vector<Dim>& dims) {
  const Dim& fast = dims[0];
  // A second dim that runs fastest in x, for tiles.
  std::size_t partner = 0;
  if (fast.step_x != 1) {
    for (std::size_t d = 1; d < dims.size(); ++d) {
      if (dims[d].step_x == 1) partner = d;
    }
  }
  std::vector<Dim> outer;
  for (std::size_t d = 1; d < dims.size(); ++d) {
    if (d != partner || partner == 0) outer.push_back(dims[d]);
  }
  std::int64_t rows = 1;
  for (const Dim& dim : outer) rows *= dim.size;
  const std::int64_t row_work = fast.size * (partner ? dims[partner].size : 1);
  if (rows == 1) {
    // One long row: cut it.
    if (partner) return copy_tiles(x, y, fast, dims[partner]);
    return parallel_for(fast.size, 65536, [&](std::int64_t begin, std::int64_t end) {
      copy_row(x + begin * fast.step_x, fast.step_x, y + begin * fast.step_y, fast.step_y, end - begin);
    });
  }
  parallel_for(rows, std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(row_work, 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 std::int64_t index[kMaxRank] = {};
                 std::int64_t at_x = 0, at_y = 0, rest = begin;
                 for (std::size_t d = 0; d < outer.size(); ++d) {
                   index[d] = rest % outer[d].size;
                   rest /= outer[d].size;
                   at_x += index[d] * outer[d].step_x;
                   at_y += index[d] * outer[d].step_y;
                 }
                 for (std::int64_t row = begin; row < end; ++row) {
                   if (partner) {
                     copy_tiles(x + at_x, y + at_y, fast, dims[partner]);
                   } else {
                     copy_row(x + at_x, fast.step_x, y + at_y, fast.step_y, fast.size);
                   }
                   for (std::size_t d = 0; d < outer.size(); ++d) {
                     at_x += outer[d].step_x;
                     at_y += outer[d].step_y;
                     if (++index[d] < outer[d].size) break;
                     at_x -= outer[d].size * outer[d].step_x;
                     at_y -= outer[d].size * outer[d].step_y;
                     index[d] = 0;
                   }
                 }
               });
}

}  // namespace

void copy(const Array& x, Array& y) {
  if (!(x.shape() == y.shape())) {
    fail("copy", "shapes differ", fmt::format("from {} to {}", x.shape().to_string(), y.shape().to_string()));
  }
  if (y.size() == 0) return;
  const std::vector<Dim> dims = plan(x, y);
  visit_dtype(x.dtype(), [&](auto from) {
    visit_dtype(y.dtype(), [&](auto to) {
      using X = decltype(from);
      using Y = decltype(to);
      copy_typed<X, Y>(x.data<X>(), y.data<Y>(), dims);
    });
  });
}

}  // namespace tandem::kernels
