// The steps that come with Tandem, one class and one function each. See transform.h.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/core/error.h>
#include <tandem/data/bytes_to_floats.h>
#include <tandem/data/image.h>
#include <tandem/data/resize_pixels.h>
#include <tandem/data/transform.h>

namespace tandem {

namespace {

// The window of `size` whose first pixel is (top, left) of the image; pixels outside the image are 0.
template <class T>
void crop_pixels(Picture& picture, Size2 size, std::int64_t top, std::int64_t left) {
  const PictureFormat in = picture.format();
  const PictureFormat out{size.h, size.w, in.channels, in.is_bytes};
  const T* x = picture.pixels<T>();
  T* y = picture.next<T>(out);
  const std::int64_t row = out.width * out.channels;
  const std::int64_t from = std::clamp<std::int64_t>(-left, 0, out.width) * in.channels;
  const std::int64_t to = std::clamp<std::int64_t>(in.width - left, 0, out.width) * in.channels;
  for (std::int64_t i = 0; i < out.height; ++i, y += row) {
    const std::int64_t source = top + i;
    if (source < 0 || source >= in.height || from >= to) {
      std::fill_n(y, row, T{});
      continue;
    }
    std::fill(y, y + from, T{});
    std::copy_n(x + (source * in.width + left) * in.channels + from, to - from, y + from);
    std::fill(y + to, y + row, T{});
  }
  picture.switch_to_next();
}

void crop(Picture& picture, Size2 size, std::int64_t top, std::int64_t left) {
  picture.visit([&](auto zero) { crop_pixels<decltype(zero)>(picture, size, top, left); });
}

class RandomCrop final : public TransformStep {
 public:
  explicit RandomCrop(const RandomCropOptions& options) : options_(options) {}

  PictureFormat output(const PictureFormat& in) const override {
    if (in.height + 2 * options_.padding < options_.size.h || in.width + 2 * options_.padding < options_.size.w) {
      fail("random_crop", "the window is larger than the image with its padding",
           fmt::format("image {}x{}, padding {}, window {}", in.height, in.width, options_.padding,
                       to_string(options_.size)));
    }
    return {options_.size.h, options_.size.w, in.channels, in.is_bytes};
  }

  void apply(Picture& picture, Generator& generator) const override {
    const PictureFormat in = picture.format();
    const std::int64_t top = generator.below(in.height + 2 * options_.padding - options_.size.h + 1);
    const std::int64_t left = generator.below(in.width + 2 * options_.padding - options_.size.w + 1);
    crop(picture, options_.size, top - options_.padding, left - options_.padding);
  }

  std::string describe() const override {
    return fmt::format("random_crop({}, padding={})", to_string(options_.size), options_.padding);
  }

 private:
  RandomCropOptions options_;
};

class CentreCrop final : public TransformStep {
 public:
  explicit CentreCrop(Size2 size) : size_(size) {}

  PictureFormat output(const PictureFormat& in) const override {
    if (in.height < size_.h || in.width < size_.w) {
      fail("centre_crop", "the window is larger than the image",
           fmt::format("image {}x{}, window {}", in.height, in.width, to_string(size_)));
    }
    return {size_.h, size_.w, in.channels, in.is_bytes};
  }

  void apply(Picture& picture, Generator&) const override {
    const PictureFormat in = picture.format();
    crop(picture, size_, centred(in.height, size_.h), centred(in.width, size_.w));
  }

  std::string describe() const override { return fmt::format("centre_crop({})", to_string(size_)); }

 private:
  Size2 size_;
};

class RandomFlip final : public TransformStep {
 public:
  explicit RandomFlip(double probability) : probability_(probability) {}

  PictureFormat output(const PictureFormat& in) const override { return in; }

  void apply(Picture& picture, Generator& generator) const override {
    if (generator.uniform() >= probability_) return;
    picture.visit([&](auto zero) { mirror<decltype(zero)>(picture); });
  }

  std::string describe() const override { return fmt::format("random_flip({})", probability_); }

 private:
  template <class T>
  static void mirror(Picture& picture) {
    const PictureFormat format = picture.format();
    const T* x = picture.pixels<T>();
    T* y = picture.next<T>(format);
    if (format.channels == 3) {
      mirror_rows<T, 3>(x, y, format);
    } else {
      mirror_rows<T, 0>(x, y, format);
    }
    picture.switch_to_next();
  }

  // kChannels 0: any number.
  template <class T, std::int64_t kChannels>
  static void mirror_rows(const T* x, T* y, const PictureFormat& format) {
    const std::int64_t channels = kChannels > 0 ? kChannels : format.channels, row = format.width * channels;
    for (std::int64_t i = 0; i < format.height; ++i, x += row, y += row) {
      for (std::int64_t j = 0; j < format.width; ++j) {
        for (std::int64_t c = 0; c < channels; ++c) y[j * channels + c] = x[(format.width - 1 - j) * channels + c];
      }
    }
  }

  double probability_;
};

class Cutout final : public TransformStep {
 public:
  explicit Cutout(std::int64_t size) : size_(size) {}

  PictureFormat output(const PictureFormat& in) const override { return in; }

  void apply(Picture& picture, Generator& generator) const override {
    const PictureFormat& format = picture.format();
    const std::int64_t top = generator.below(format.height) - size_ / 2;
    const std::int64_t left = generator.below(format.width) - size_ / 2;
    picture.visit([&](auto zero) { clear<decltype(zero)>(picture, top, left); });
  }

  std::string describe() const override { return fmt::format("cutout({})", size_); }

 private:
  template <class T>
  void clear(Picture& picture, std::int64_t top, std::int64_t left) const {
    const PictureFormat format = picture.format();
    T* pixels = picture.mutable_pixels<T>();
    const std::int64_t bottom = std::min(top + size_, format.height), right = std::min(left + size_, format.width);
    const std::int64_t begin = std::max<std::int64_t>(left, 0);
    for (std::int64_t i = std::max<std::int64_t>(top, 0); i < bottom; ++i) {
      std::fill_n(pixels + (i * format.width + begin) * format.channels, (right - begin) * format.channels, T{});
    }
  }

  std::int64_t size_;
};

class Normalize final : public TransformStep {
 public:
  explicit Normalize(const ChannelStatistics& statistics)
      : statistics_(statistics), scale_(statistics.mean, statistics.deviation) {}

  PictureFormat output(const PictureFormat& in) const override {
    if (!in.is_bytes) fail("normalize", "the image is normalized already", to_string(in));
    if (in.channels != static_cast<std::int64_t>(statistics_.mean.size())) {
      fail("normalize", "one mean and deviation a channel is needed",
           fmt::format("image {}, {} means", to_string(in), statistics_.mean.size()));
    }
    return {in.height, in.width, in.channels, false};
  }

  void apply(Picture& picture, Generator&) const override {
    PictureFormat format = picture.format();
    format.is_bytes = false;
    scale_.convert(picture.pixels<std::uint8_t>(), format.count(), picture.next<float>(format));
    picture.switch_to_next();
  }

  std::string describe() const override {
    return fmt::format("normalize(mean={:.4f}, deviation={:.4f})", fmt::join(statistics_.mean, "/"),
                       fmt::join(statistics_.deviation, "/"));
  }

 private:
  ChannelStatistics statistics_;
  ByteScale scale_;
};

class ToUnit final : public TransformStep {
 public:
  PictureFormat output(const PictureFormat& in) const override {
    if (!in.is_bytes) fail("to_unit", "the image is no longer in bytes", to_string(in));
    return {in.height, in.width, in.channels, false};
  }

  void apply(Picture& picture, Generator&) const override {
    static const ByteScale scale({0}, {1});
    PictureFormat format = picture.format();
    format.is_bytes = false;
    scale.convert(picture.pixels<std::uint8_t>(), format.count(), picture.next<float>(format));
    picture.switch_to_next();
  }

  std::string describe() const override { return "to_unit"; }
};

class Custom final : public TransformStep {
 public:
  Custom(std::string name, std::function<void(Picture&, Generator&)> function)
      : name_(std::move(name)), function_(std::move(function)) {}

  PictureFormat output(const PictureFormat& in) const override { return in; }

  void apply(Picture& picture, Generator& generator) const override {
    const PictureFormat before = picture.format();
    function_(picture, generator);
    if (picture.format() != before) {
      fail(describe(), "changed the format of the image",
           fmt::format("{} to {}", to_string(before), to_string(picture.format())),
           "derive from TransformStep for that");
    }
  }

  std::string describe() const override { return fmt::format("custom({})", name_); }

 private:
  std::string name_;
  std::function<void(Picture&, Generator&)> function_;
};

}  // namespace

Transform random_crop(const RandomCropOptions& options) {
  if (options.size.h < 1 || options.size.w < 1 || options.padding < 0) {
    fail("random_crop", "size must be positive and padding not negative",
         fmt::format("size {}, padding {}", to_string(options.size), options.padding));
  }
  if (options.size.h > kLongestSide || options.size.w > kLongestSide || options.padding > kLongestSide) {
    fail("random_crop", fmt::format("size and padding may be {} at most", kLongestSide),
         fmt::format("size {}, padding {}", to_string(options.size), options.padding));
  }
  return Transform(std::make_shared<RandomCrop>(options));
}

Transform centre_crop(const CentreCropOptions& options) {
  if (options.size.h < 1 || options.size.w < 1)
    fail("centre_crop", "size must be positive", fmt::format("{} given", to_string(options.size)));
  return Transform(std::make_shared<CentreCrop>(options.size));
}

Transform random_flip(const RandomFlipOptions& options) {
  if (!(options.probability >= 0 && options.probability <= 1)) {
    fail("random_flip", "probability must be in [0, 1]", fmt::format("{} given", options.probability));
  }
  return Transform(std::make_shared<RandomFlip>(options.probability));
}

Transform cutout(const CutoutOptions& options) {
  if (options.size < 1) fail("cutout", "size must be positive", fmt::format("{} given", options.size));
  return Transform(std::make_shared<Cutout>(options.size));
}

Transform normalize(const ChannelStatistics& statistics) {
  if (statistics.mean.empty() || statistics.mean.size() != statistics.deviation.size()) {
    fail("normalize", "needs one mean and deviation a channel",
         fmt::format("{} means, {} deviations", statistics.mean.size(), statistics.deviation.size()));
  }
  for (const double deviation : statistics.deviation) {
    if (!(deviation > 0) || !std::isfinite(deviation)) {
      fail("normalize", "deviation must be positive", fmt::format("{} given", deviation));
    }
  }
  return Transform(std::make_shared<Normalize>(statistics));
}

Transform to_unit() { return Transform(std::make_shared<ToUnit>()); }

Transform custom(std::string name, std::function<void(Picture&, Generator&)> function) {
  return Transform(std::make_shared<Custom>(std::move(name), std::move(function)));
}

Transform standard_augmentation(const Dataset& dataset) {
  const Size2 size{dataset.images.shape(2), dataset.images.shape(3)};
  return random_crop({.size = size, .padding = 4}) | random_flip() | normalize(dataset.statistics);
}

}  // namespace tandem
