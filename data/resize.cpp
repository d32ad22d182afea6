// Resizing through stb_image_resize, which is seen by this file alone, and windows. See resize.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/resize.h>
#include <tandem/data/resize_pixels.h>

// Its assertions hold nothing that it needs: weights that sum to more than 1.1, as those of 7 pixels made of 5 do
// before they are scaled, fail one.
#define STBIR_ASSERT(condition) static_cast<void>(0)
#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb/stb_image_resize.h>

namespace tandem {

namespace {

void check_images(const char* where, const Array& images, Size2 size) {
  require_defined(where, "images", images);
  require_dtype(where, "images", images, DType::u8);
  if (images.rank() != 4 || images.size() == 0) {
    fail(where, "images must be [N, C, H, W] and not empty", images.shape().to_string());
  }
  constexpr std::int64_t kMostChannels = 64, kLongest = 1 << 24;
  if (images.shape(1) > kMostChannels || images.shape(2) > kLongest || images.shape(3) > kLongest)
    fail(where, "images may have at most 64 channels and sides of 2^24", images.shape().to_string());
  if (size.h < 1 || size.w < 1 || size.h > kLongest || size.w > kLongest)
    fail(where, "size must be positive and at most 2^24", to_string(size));
}

}  // namespace

namespace {

/// stb_image_resize counts the bytes of its buffers in 32 bits. The largest are a row of pixels in floats, and the ring
/// of rows that one row is made of: as many as a pixel stands for, to both sides, and a few.
void check_buffers(Size2 from, std::int64_t row, Size2 to, std::int64_t channels) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const auto support = [](std::int64_t length, std::int64_t made) { return 2 * (length / made + 1) + 4; };
  const std::int64_t rows = support(from.h, to.h), columns = support(from.w, to.w);
  const std::int64_t pixel = channels * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t places = from.w + to.w + columns + from.h + to.h + rows;  // with two weights and their range each
  if (to.w * rows * pixel + (row + 2 * columns) * pixel + 24 * places <= kMost) return;
  fail("resize_images", "too large a step",
       fmt::format("{} to {} pixels, {} channels", to_string(from), to_string(to), channels),
       "take two steps, the first to a size in between");
}

}  // namespace

void resize_pixels(const std::uint8_t* x, Size2 from, std::int64_t row, std::uint8_t* y, Size2 to,
                   std::int64_t channels) {
  if (from == to) {
    for (std::int64_t i = 0; i < to.h; ++i)
      std::copy_n(x + i * row * channels, to.w * channels, y + i * to.w * channels);
    return;
  }
  check_buffers(from, row, to, channels);
  const int done = stbir_resize_uint8_generic(
      x, static_cast<int>(from.w), static_cast<int>(from.h), static_cast<int>(row * channels), y,
      static_cast<int>(to.w), static_cast<int>(to.h), static_cast<int>(to.w * channels), static_cast<int>(channels),
      STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr);
  if (done == 0) fail("resize_images", "out of memory", fmt::format("{} to {} pixels", to_string(from), to_string(to)));
}

Size2 covered_window(Size2 from, Size2 size) {
  const auto scaled = [](std::int64_t length, std::int64_t to, std::int64_t by) {  // length * to / by, rounded
    return std::max<std::int64_t>(1, (2 * length * to + by) / (2 * by));
  };
  return {std::min(from.h, scaled(from.w, size.h, size.w)), std::min(from.w, scaled(from.h, size.w, size.h))};
}

Array resize_images(const Array& images, Size2 size) {
  check_images("resize_images", images, size);
  const Array x = images.to_layout(Layout::channels_last);
  const Size2 from{x.shape(2), x.shape(3)};
  const std::int64_t channels = x.shape(1), image = channels * from.h * from.w;
  if (from == size) return x;
  Array y = Array::empty({x.shape(0), channels, size.h, size.w}, DType::u8, Layout::channels_last);
  for (std::int64_t n = 0; n < x.shape(0); ++n) {
    resize_pixels(x.data<std::uint8_t>() + n * image, from, from.w,
                  y.data<std::uint8_t>() + n * channels * size.h * size.w, size, channels);
  }
  return y;
}

Array centre_crop(const Array& images, Size2 size) {
  check_images("centre_crop", images, size);
  const std::int64_t height = images.shape(2), width = images.shape(3);
  if (height < size.h || width < size.w) {
    fail("centre_crop", "the window is larger than the images",
         fmt::format("images {}x{}, window {}", height, width, to_string(size)));
  }
  const std::int64_t top = centred(height, size.h), left = centred(width, size.w);
  return images.slice(2, top, top + size.h).slice(3, left, left + size.w);
}

Array cover(const Array& images, Size2 size) {
  check_images("cover", images, size);
  return resize_images(centre_crop(images, covered_window({images.shape(2), images.shape(3)}, size)), size);
}

}  // namespace tandem
