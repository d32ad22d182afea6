// The one walk under copies, elementwise kernels and reductions, and the one loop of elementwise kernels.
//
//   plan_loop   dims in the memory order of one operand, dims that lie behind each other joined: mostly one dim is left
//   walk        parts of the plan on threads, tile by tile: the two innermost dims
//   run_loop    y[i] = f(x[i]...) over a plan: rows of the type that is computed in, vectorised; operands of another
//               dtype or stride go through blocks of that type which stay in the L1 cache (load_store.h)
//
// Not here: dtypes, broadcasting rules and outputs (elementwise_apply.h), the tiles of copy.cpp and reduce_tiles.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include <tandem/core/array.h>
#include <tandem/core/capture.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/elementwise/load_store.h>
#include <tandem/core/threads.h>

#if defined(__clang__)
#define TANDEM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define TANDEM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define TANDEM_INDEPENDENT
#endif

namespace tandem::kernels {

/// Elements that are worth a thread of their own.
inline constexpr std::int64_t kElementGrain = 32768;

/// Sizes and strides (in elements) of a joint walk, innermost dim first; rank >= 1.
struct LoopPlan {
  static constexpr std::size_t kOperands = 4;
  int rank = 1;
  std::array<std::int64_t, kMaxRank> sizes{};
  std::array<std::array<std::int64_t, kMaxRank>, kOperands> strides{};
};

/// All operands of one shape and one set of dense strides: a plan of a single dim. By far the most frequent case.
bool is_flat(std::span<const Array* const> operands);

/// The plan for operands that broadcast to the shape of the first, in its memory order. Strides of 0 come last.
LoopPlan plan_loop(std::span<const Array* const> operands);

/// Makes the second dim one along which an operand runs on that does not along the first: a tile is then a transposed
/// matrix, of which whole cache lines are read.
void prefer_transposed_tiles(LoopPlan& plan, std::size_t operands);

/// A part of the walk: rows x n elements of the two innermost dims, and where it begins in each operand (in elements).
struct Tile {
  std::int64_t n, rows;
  std::array<std::int64_t, LoopPlan::kOperands> begin;
};

using WalkTile = void (*)(void* context, const LoopPlan& plan, const Tile& tile);
void walk(const LoopPlan& plan, WalkTile function, void* context);

/// Calls f(tile) for all tiles of the plan, on threads. Tiles share no element.
template <class F>
void walk(const LoopPlan& plan, F f) {
  walk(
      plan, [](void* context, const LoopPlan&, const Tile& tile) { (*static_cast<F*>(context))(tile); }, &f);
}

namespace detail {

/// One operand in a tile.
struct Lane {
  std::byte* p;
  std::int64_t inner, outer;  ///< strides over the elements of a row and over rows, in elements
  std::int64_t bytes;         ///< of an element
  bool is_same;               ///< the elements are of the type that is computed in
  ConvertRow convert;         ///< to that type, or from it for the output; nullptr for a row of that type

  template <class T>
  T* at(std::int64_t row, std::int64_t column = 0) const {
    return reinterpret_cast<T*>(p + (row * outer + column * inner) * bytes);
  }
  bool is_row() const { return is_same && inner == 1; }
};

template <class T>
struct Row {
  const T* p;
  T operator[](std::int64_t i) const { return p[i]; }
};

template <class T>
struct Splat {
  T value;
  T operator[](std::int64_t) const { return value; }
};

template <class F, class Y, class... X>
TANDEM_INLINE void fill_row(F f, std::int64_t n, Y* y, X... x) {
  TANDEM_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<Y>(f(x[i]...));
}

inline constexpr std::int64_t kBlock = 256;        // elements of a row that are converted at a time
inline constexpr std::int64_t kShortStrided = 16;  // shorter strided rows are not worth that

/// Elements column .. column + n of a row as W: where they lie, or converted into `block`.
template <class W>
TANDEM_INLINE const W* load(const Lane& x, std::int64_t row, std::int64_t column, std::int64_t n, W* block) {
  if (x.is_row()) return x.at<const W>(row, column);
  auto* to = reinterpret_cast<std::byte*>(block);
  if (x.inner != 0) {
    x.convert(x.at<const std::byte>(row, column), x.inner, to, 1, n);
  } else if (row == 0 || x.outer != 0) {
    x.convert(x.at<const std::byte>(row), 1, to, 1, 1);
    std::fill_n(block + 1, n - 1, block[0]);
  }
  return block;
}

/// Writes what fill_row left in `block` to where it belongs.
template <class Y>
TANDEM_INLINE void store(const Lane& y, std::int64_t row, std::int64_t column, std::int64_t n, const Y* block) {
  if constexpr (std::is_same_v<Y, bool>) {
    for (std::int64_t i = 0; i < n; ++i) *y.at<bool>(row, column + i) = block[i];
  } else {
    y.convert(reinterpret_cast<const std::byte*>(block), 1, y.at<std::byte>(row, column), y.inner, n);
  }
}

template <class W, std::size_t>
using Each = W;

/// y[r, i] = f(x[r, i]...) for r < rows, i < n. Flattened: a functor that is not inlined would not be vectorised.
template <class W, class F, std::size_t... I>
TANDEM_TARGETS __attribute__((flatten)) void run_tile(std::index_sequence<I...>, F f, std::int64_t n, std::int64_t rows,
                                                      const Lane y, const std::array<Lane, sizeof...(I)> x) {
  constexpr bool is_test = std::is_same_v<std::invoke_result_t<F, Each<W, I>...>, bool>;
  using Y = std::conditional_t<is_test, bool, W>;
  const bool is_plain = y.is_row() && (x[I].is_row() && ...);
  if (is_plain) {
    Y* out = y.at<Y>(0);
    const std::array<const W*, sizeof...(I)> in{x[I].template at<const W>(0)...};
    for (std::int64_t r = 0; r < rows; ++r) fill_row(f, n, out + r * y.outer, Row<W>{in[I] + r * x[I].outer}...);
    return;
  }
  if constexpr (std::is_same_v<W, float>) {
    if constexpr (sizeof...(I) == 2) {
      const Lane &a = x[0], &b = x[1];
      if (y.is_row() && a.is_row() && b.is_same && b.inner == 0) {
        for (std::int64_t r = 0; r < rows; ++r) {
          fill_row(f, n, y.at<Y>(r), Row<W>{a.at<W>(r)}, Splat<W>{*b.at<W>(r)});
        }
        return;
      }
      if (y.is_row() && b.is_row() && a.is_same && a.inner == 0) {
        for (std::int64_t r = 0; r < rows; ++r) {
          fill_row(f, n, y.at<Y>(r), Splat<W>{*a.at<W>(r)}, Row<W>{b.at<W>(r)});
        }
        return;
      }
    }
    if (n < kShortStrided && y.is_same && (x[I].is_same && ...)) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < n; ++i) *y.at<Y>(r, i) = static_cast<Y>(f(*x[I].template at<W>(r, i)...));
      }
      return;
    }
  }
  alignas(64) W blocks[sizeof...(I)][kBlock];
  alignas(64) Y result[kBlock];
  for (std::int64_t column = 0; column < n; column += kBlock) {
    const std::int64_t count = std::min(kBlock, n - column);
    for (std::int64_t r = 0; r < rows; ++r) {
      Y* out = y.is_row() ? y.at<Y>(r, column) : result;
      fill_row(f, count, out, Row<W>{load(x[I], r, column, count, blocks[I])}...);
      if (out == result) store(y, r, column, count, result);
    }
  }
}

}  // namespace detail

/// y[i] = f(x[i]...), computed in W (float, double or int64) and converted from and to the dtypes of x and y; the x
/// broadcast to y's shape. A comparison f makes bool. y may be one of the x when their strides are equal. `name` is the
/// kernel's, for captures.
template <class W, class F, class... X>
void run_loop(const char* name, F f, Array& y, const X&... x) {
  constexpr std::size_t kInputs = sizeof...(X);
  static_assert(kInputs < LoopPlan::kOperands);
  constexpr bool is_test = std::is_same_v<std::invoke_result_t<F, std::conditional_t<true, W, X>...>, bool>;
  const std::array<const Array*, kInputs + 1> operands{&y, &x...};
  // Taken to be written, unless y is read too: then it has to be known before.
  const bool is_read = ((static_cast<const Array*>(&y) == &x) || ...);
  const std::byte* const written = is_read ? std::as_const(y).bytes() : y.bytes();
  const auto lane = [&](std::size_t o, std::int64_t inner, std::int64_t outer) {
    const DType dtype = operands[o]->dtype(), same = o == 0 && is_test ? DType::boolean : dtype_of<W>;
    const std::int64_t bytes = static_cast<std::int64_t>(size_of(dtype));
    // One type of lane for y and the x, of which only y's is written.
    detail::Lane one{
        const_cast<std::byte*>(o == 0 ? written : operands[o]->bytes()), inner, outer, bytes, dtype == same, nullptr};
    if (!one.is_row()) one.convert = o == 0 ? convert_row(same, dtype) : convert_row(dtype, same);
    return one;
  };
  std::array<detail::Lane, kInputs> inputs{};
  if (y.size() <= kElementGrain && is_flat(operands)) {  // one short row needs no plan
    for (std::size_t i = 0; i < kInputs; ++i) inputs[i] = lane(i + 1, 1, 0);
    return capture::run(name, {&x...}, {&y}, [f, inputs, n = y.size(), out = lane(0, 1, 0)] {
      detail::run_tile<W>(std::make_index_sequence<kInputs>{}, f, n, 1, out, inputs);
    });
  }
  LoopPlan plan = plan_loop(operands);
  prefer_transposed_tiles(plan, operands.size());
  const detail::Lane whole = lane(0, plan.strides[0][0], plan.strides[0][1]);
  for (std::size_t i = 0; i < kInputs; ++i) inputs[i] = lane(i + 1, plan.strides[i + 1][0], plan.strides[i + 1][1]);
  capture::run(name, {&x...}, {&y}, [f, plan, whole, inputs] {
    walk(plan, [&](const Tile& tile) {
      detail::Lane out = whole;
      out.p += tile.begin[0] * out.bytes;
      std::array<detail::Lane, kInputs> in = inputs;
      for (std::size_t i = 0; i < kInputs; ++i) in[i].p += tile.begin[i + 1] * in[i].bytes;
      detail::run_tile<W>(std::make_index_sequence<kInputs>{}, f, tile.n, tile.rows, out, in);
    });
  });
}

}  // namespace tandem::kernels
