// Steps of a Transform that bring pictures of any size to one: random_resized_crop and resize. See transform.h; the
// others stand in augment.cpp.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/image.h>
#include <tandem/data/resize_pixels.h>
#include <tandem/data/transform.h>

namespace tandem {

namespace {

struct Window2 {
  std::int64_t top = 0, left = 0;
  Size2 size;
};

/// The window of a picture in bytes, at another size.
void resample(Picture& picture, const Window2& window, Size2 size) {
  const PictureFormat in = picture.format();
  const std::uint8_t* x = picture.pixels<std::uint8_t>() + (window.top * in.width + window.left) * in.channels;
  std::uint8_t* y = picture.next<std::uint8_t>({size.h, size.w, in.channels, true});
  resize_pixels(x, window.size, in.width, y, size, in.channels);
  picture.switch_to_next();
}

void require_bytes(const char* step, const PictureFormat& in) {
  if (!in.is_bytes) fail(step, "the image is no longer in bytes", to_string(in), "put it before normalize");
}

class RandomResizedCrop final : public TransformStep {
 public:
  explicit RandomResizedCrop(const RandomResizedCropOptions& options) : options_(options) {}

  PictureFormat output(const PictureFormat& in) const override {
    require_bytes("random_resized_crop", in);
    return {options_.size.h, options_.size.w, in.channels, true};
  }

  void apply(Picture& picture, Generator& generator) const override {
    const PictureFormat in = picture.format();
    resample(picture, window_in({in.height, in.width}, generator), options_.size);
  }

  std::string describe() const override {
    return fmt::format("random_resized_crop({}, area={}/{}, ratio={:.4g}/{:.4g})", to_string(options_.size),
                       options_.least_area, options_.most_area, options_.least_ratio, options_.most_ratio);
  }

 private:
  /// Ten tries at a window of random area and proportions, then the largest one in the middle whose proportions are
  /// allowed, as torchvision does.
  Window2 window_in(Size2 in, Generator& generator) const {
    constexpr int kTries = 10;
    const auto height = static_cast<double>(in.h), width = static_cast<double>(in.w);
    const double low = std::log(options_.least_ratio), high = std::log(options_.most_ratio);
    for (int i = 0; i < kTries; ++i) {
      const double area =
          height * width * (options_.least_area + (options_.most_area - options_.least_area) * generator.uniform());
      const double ratio = std::exp(low + (high - low) * generator.uniform());
      const double wide = std::round(std::sqrt(area * ratio)), tall = std::round(std::sqrt(area / ratio));
      if (wide < 1 || tall < 1 || wide > width || tall > height) continue;
      const Size2 size{static_cast<std::int64_t>(tall), static_cast<std::int64_t>(wide)};
      const std::int64_t top = generator.below(in.h - size.h + 1);
      return {top, generator.below(in.w - size.w + 1), size};
    }
    Size2 size = in;
    if (width < options_.least_ratio * height) {
      size.h = std::clamp<std::int64_t>(std::llround(width / options_.least_ratio), 1, in.h);
    } else if (width > options_.most_ratio * height) {
      size.w = std::clamp<std::int64_t>(std::llround(height * options_.most_ratio), 1, in.w);
    }
    return {centred(in.h, size.h), centred(in.w, size.w), size};
  }

  RandomResizedCropOptions options_;
};

class Resize final : public TransformStep {
 public:
  explicit Resize(std::int64_t side) : side_(side) {}

  PictureFormat output(const PictureFormat& in) const override {
    require_bytes("resize", in);
    const std::int64_t shorter = std::min(in.height, in.width), longer = std::max(in.height, in.width);
    const std::int64_t scaled = shorter > 0 ? side_ * longer / shorter : side_;  // torchvision rounds down
    if (scaled > kLongestSide) {
      fail("resize", fmt::format("the longer side may be {} at most", kLongestSide),
           fmt::format("image {}x{}, shorter side to {}", in.height, in.width, side_));
    }
    return in.height <= in.width ? PictureFormat{side_, scaled, in.channels, true}
                                 : PictureFormat{scaled, side_, in.channels, true};
  }

  void apply(Picture& picture, Generator&) const override {
    const PictureFormat in = picture.format(), out = output(in);
    resample(picture, {0, 0, {in.height, in.width}}, {out.height, out.width});
  }

  std::string describe() const override { return fmt::format("resize({})", side_); }

 private:
  std::int64_t side_;
};

}  // namespace

Transform random_resized_crop(const RandomResizedCropOptions& o) {
  if (o.size.h < 1 || o.size.w < 1 || o.size.h > kLongestSide || o.size.w > kLongestSide)
    fail("random_resized_crop", fmt::format("sides must be in [1, {}]", kLongestSide), to_string(o.size));
  if (!(o.least_area > 0 && o.least_area <= o.most_area && o.most_area <= 1)) {
    fail("random_resized_crop", "the area must be a part of the image, the least first",
         fmt::format("{} to {} given", o.least_area, o.most_area));
  }
  if (!(o.least_ratio > 0 && o.least_ratio <= o.most_ratio && std::isfinite(o.most_ratio))) {
    fail("random_resized_crop", "the ratio of width to height must be positive, the least first",
         fmt::format("{} to {} given", o.least_ratio, o.most_ratio));
  }
  return Transform(std::make_shared<RandomResizedCrop>(o));
}

Transform resize(const ResizeOptions& options) {
  if (options.side < 1 || options.side > kLongestSide)
    fail("resize", fmt::format("the side must be in [1, {}]", kLongestSide), fmt::format("{} given", options.side));
  return Transform(std::make_shared<Resize>(options.side));
}

}  // namespace tandem
