// The loops of pooling on channels-last images, on one thread: windows in order, their channels in packs. Elements E
// are float, bfloat16 or float16; sums are float. Private to pool2d.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/pool/pool2d.h>

namespace tandem::kernels::detail {

/// The part of a window that lies inside the image: rows [r0, r1) and columns [s0, s1) of the kernel, and where place
/// (0, 0) of the kernel is (perhaps outside), as an offset in numbers.
struct Window {
  std::int64_t r0, r1, s0, s1, begin;

  std::int64_t places() const { return (r1 - r0) * (s1 - s0); }
};

/// The sizes of one pooling.
struct PoolGeometry {
  std::int64_t C, H, W, P, Q;
  Pool2dOptions o;

  PoolGeometry(const Shape& x, const Shape& y, const Pool2dOptions& options)
      : C(x[1]), H(x[2]), W(x[3]), P(y[2]), Q(y[3]), o(options) {}

  TANDEM_INLINE Window window(std::int64_t i, std::int64_t j) const {
    const std::int64_t h = i * o.stride.h - o.padding.h, w = j * o.stride.w - o.padding.w;
    return {std::max<std::int64_t>(0, -h), std::min(o.kernel.h, H - h), std::max<std::int64_t>(0, -w),
            std::min(o.kernel.w, W - w), (h * W + w) * C};
  }
  /// What a sum over window (i, j) is divided by.
  TANDEM_INLINE std::int64_t divisor(const Window& w) const {
    return o.count_padding ? o.kernel.h * o.kernel.w : std::max<std::int64_t>(w.places(), 1);
  }
  /// Places of the largest window inside the image.
  std::int64_t most_places() const { return std::min(o.kernel.h, H) * std::min(o.kernel.w, W); }
  bool is_disjoint() const { return o.kernel.h <= o.stride.h && o.kernel.w <= o.stride.w; }
  /// Disjoint windows that leave no place of the image out.
  bool is_tiling() const {
    return o.kernel.h == o.stride.h && o.kernel.w == o.stride.w && P * o.stride.h >= H + o.padding.h &&
           Q * o.stride.w >= W + o.padding.w;
  }
  std::int64_t image() const { return H * W * C; }
  std::int64_t output() const { return P * Q * C; }
};

/// Row i of the outputs of one image x, `readable` numbers of which may be read.
template <class E>
void max_row(const PoolGeometry& g, const E* x, std::int64_t readable, std::int64_t i, E* y, std::uint8_t* chosen);
template <class E>
void average_row(const PoolGeometry& g, const E* x, std::int64_t readable, std::int64_t i, E* y);
/// y = x at the chosen places.
template <class E>
void take_row(const PoolGeometry& g, const E* x, const std::uint8_t* chosen, std::int64_t i, E* y);

/// dx of one image. `sums` [H W C] is scratch where windows overlap and E is not float.
template <class E>
void max_grad_image(const PoolGeometry& g, const E* dy, const std::uint8_t* chosen, E* dx, float* sums);
template <class E>
void average_grad_image(const PoolGeometry& g, const E* dy, E* dx, float* sums);

}  // namespace tandem::kernels::detail
