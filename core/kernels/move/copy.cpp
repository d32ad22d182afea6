// Copies over the plan of strided_loop.h: rows that run on are a memcpy, other dtypes rows of load_store.h, and a
// transposition (N,C,H,W <-> N,H,W,C, or a matrix) goes by tiles that stay in the L1 cache.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/strided_loop.h>
#include <tandem/core/kernels/move/copy.h>
#include <tandem/core/kernels/move/transpose_tile.h>
#include <tandem/core/profile.h>

namespace tandem::kernels {

namespace {

// Strides of the two innermost dims, in elements.
struct Steps {
  std::int64_t x_inner, x_outer, y_inner, y_outer;
};

// Elements of T are moved, not computed with: T stands for all dtypes of its size. Not TANDEM_TARGETS: gathers of wider
// instruction sets are slower here (1.8 times for a matrix of 1024 x 1024).
template <class T>
void move_strided(const T* x, T* y, std::int64_t n, std::int64_t rows, Steps s) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) y[r * s.y_outer + i * s.y_inner] = x[r * s.x_outer + i * s.x_inner];
  }
}

// The same for y whose rows run on and x whose columns do: in blocks of a cache line each way, these in square tiles.
template <class T>
void move_transposed(const T* x, T* y, std::int64_t n, std::int64_t rows, Steps s) {
  using Tile = detail::SquareTile<T>;
  constexpr std::int64_t kBlock = 64 / sizeof(T), kSide = Tile::kSide;
  for (std::int64_t r0 = 0; r0 < rows; r0 += kBlock) {
    const std::int64_t r1 = std::min(r0 + kBlock, rows);
    for (std::int64_t i0 = 0; i0 < n; i0 += kBlock) {
      const std::int64_t i1 = std::min(i0 + kBlock, n);
      std::int64_t r = r0;
      for (; r + kSide <= r1; r += kSide) {
        std::int64_t i = i0;
        for (; i + kSide <= i1; i += kSide)
          Tile::transpose(x + r + i * s.x_inner, s.x_inner, y + r * s.y_outer + i, s.y_outer);
        move_strided(x + r + i * s.x_inner, y + r * s.y_outer + i, i1 - i, kSide, s);
      }
      move_strided(x + r + i0 * s.x_inner, y + r * s.y_outer + i0, i1 - i0, r1 - r, s);
    }
  }
}

template <class T>
void move(const std::byte* x, std::byte* y, std::int64_t n, std::int64_t rows, Steps s) {
  const T* from = reinterpret_cast<const T*>(x);
  T* to = reinterpret_cast<T*>(y);
  if (s.x_inner == 0 && s.y_inner == 1) {
    for (std::int64_t r = 0; r < rows; ++r) std::fill_n(to + r * s.y_outer, n, from[r * s.x_outer]);
    return;
  }
  if (s.x_outer == 1 && s.x_inner != 1 && s.y_inner == 1) return move_transposed(from, to, n, rows, s);
  if (s.x_inner != 1 || s.y_inner != 1) return move_strided(from, to, n, rows, s);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::memcpy(to + r * s.y_outer, from + r * s.x_outer, static_cast<std::size_t>(n) * sizeof(T));
  }
}

void move(std::size_t bytes, const std::byte* x, std::byte* y, std::int64_t n, std::int64_t rows, Steps s) {
  if (bytes == 1) return move<std::uint8_t>(x, y, n, rows, s);
  if (bytes == 2) return move<std::uint16_t>(x, y, n, rows, s);
  if (bytes == 4) return move<std::uint32_t>(x, y, n, rows, s);
  move<std::uint64_t>(x, y, n, rows, s);
}

// Rows converted, in blocks of columns: along a row of a transposed x a cache line is read once a block.
void convert_tile(ConvertRow convert, const std::byte* x, std::byte* y, std::int64_t n, std::int64_t rows, Steps s,
                  std::int64_t x_bytes, std::int64_t y_bytes) {
  const std::int64_t columns = s.x_inner == 1 ? n : 256;
  for (std::int64_t i = 0; i < n; i += columns) {
    for (std::int64_t r = 0; r < rows; ++r) {
      convert(x + (r * s.x_outer + i * s.x_inner) * x_bytes, s.x_inner, y + (r * s.y_outer + i * s.y_inner) * y_bytes,
              s.y_inner, std::min(columns, n - i));
    }
  }
}

}  // namespace

void copy(const Array& x, Array& y) {
  if (!(x.shape() == y.shape())) {
    fail("copy", "shapes differ", fmt::format("from {} to {}", x.shape().to_string(), y.shape().to_string()));
  }
  if (y.size() == 0) return;
  const DType from = x.dtype(), to = y.dtype();
  const profile::KernelScope profiled(from == to ? "copy" : "convert", to, [&] { return profile::moves(x, y); });
  // Bytes stay as they are between u8 and i8, and from bool.
  const bool is_move = from == to || (size_of(from) == 1 && size_of(to) == 1 && to != DType::boolean);
  if (!is_move && !is_work(from) && !is_work(to)) {
    const auto same = [](auto v) { return v; };
    if (is_floating(from) || is_floating(to)) return run_loop<float>("convert", same, y, x);
    return run_loop<std::int64_t>("convert", same, y, x);
  }
  const std::array<const Array*, 2> operands{&y, &x};
  if (is_move && y.size() <= kElementGrain && is_flat(operands)) {
    return capture::run(
        "copy", {&x}, {&y},
        [p = x.bytes(), q = y.bytes(), n = static_cast<std::size_t>(y.size()) * size_of(to)] { std::memcpy(q, p, n); });
  }
  LoopPlan plan = plan_loop(operands);
  prefer_transposed_tiles(plan, operands.size());
  const Steps steps{plan.strides[1][0], plan.strides[1][1], plan.strides[0][0], plan.strides[0][1]};
  const auto x_bytes = static_cast<std::int64_t>(size_of(from)), y_bytes = static_cast<std::int64_t>(size_of(to));
  const ConvertRow convert = is_move ? nullptr : convert_row(from, to);
  capture::run("copy", {&x}, {&y}, [=, p = x.bytes(), q = y.bytes(), to_bytes = size_of(to)] {
    walk(plan, [&](const Tile& tile) {
      const std::byte* in = p + tile.begin[1] * x_bytes;
      std::byte* out = q + tile.begin[0] * y_bytes;
      if (convert == nullptr) return move(to_bytes, in, out, tile.n, tile.rows, steps);
      convert_tile(convert, in, out, tile.n, tile.rows, steps, x_bytes, y_bytes);
    });
  });
}

}  // namespace tandem::kernels
