// What kernels on images [N, C, H, W] share: memory in channels-last, and windows that move over an image, with the one
// check of their numbers. Private to core/kernels.
#pragma once

#include <cstdint>

#include <tandem/core/array.h>

namespace tandem::kernels::detail {

/// A new Array in channels-last.
Array empty_images(const Shape& shape, DType dtype);
/// [N, C, ...] as [N, C, H, W], W = 1 where the rank is not 4, in channels-last: rows of C numbers. An undefined Array
/// stays so.
Array as_images(const Array& x);

/// Throws Error "where: dy is [..], must be [..]" for an Array of another shape.
void require_shape(const char* where, const char* name, const Array& x, const Shape& shape);

/// Throws Error naming `where` and the option unless it is from `least` to 2^31 - 1, which is what libraries count in.
void require_window_size(const char* where, const char* option, Size2 size, std::int64_t least);

/// How many windows of `kernel` places, `dilation` apart, fit into `size` places with `padding` on both sides:
/// floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, at least 0.
std::int64_t count_windows(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                           std::int64_t dilation = 1);

}  // namespace tandem::kernels::detail
