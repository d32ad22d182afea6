// Resizing of pixels in plain memory, for those who have no Array around them. Private to data; resize.h is for users.
#pragma once

#include <cstdint>

#include <tandem/core/shape.h>

namespace tandem {

/// A window of `from` pixels in rows of `row` pixels, beginning at x, to y [to.h, to.w, channels], as resize_images.
/// One to 64 channels, positive sizes; where both sizes are one the pixels are copied.
void resize_pixels(const std::uint8_t* x, Size2 from, std::int64_t row, std::uint8_t* y, Size2 to,
                   std::int64_t channels);

/// The largest window of `from` that has the proportions of `size`, to whole pixels.
Size2 covered_window(Size2 from, Size2 size);

/// Where a centred window begins in `length`: the margin before it is at most that behind it.
inline std::int64_t centred(std::int64_t length, std::int64_t window) { return (length - window) / 2; }

}  // namespace tandem
