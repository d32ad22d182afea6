// Composition of transforms, and the way from bytes to floats. See transform.h; the steps stand in augment.cpp.
#include <algorithm>

#include <tandem/core/error.h>
#include <tandem/data/bytes_to_floats.h>
#include <tandem/data/transform.h>

namespace tandem {

Transform Transform::operator|(const Transform& next) const {
  Transform both = *this;
  both.steps_.insert(both.steps_.end(), next.steps_.begin(), next.steps_.end());
  return both;
}

PictureFormat Transform::output(const PictureFormat& format) const {
  PictureFormat present = format;
  for (const auto& step : steps_) present = step->output(present);
  present.is_bytes = false;
  return present;
}

void Transform::apply(const std::uint8_t* image, const PictureFormat& format, Generator generator, Picture& picture,
                      float* out) const {
  picture.start(image, format.height, format.width, format.channels);
  for (const auto& step : steps_) step->apply(picture, generator);
  const std::int64_t count = picture.format().count();
  if (picture.format().is_bytes) {
    static const ByteScale plain({0}, {1});
    plain.convert(picture.pixels<std::uint8_t>(), count, out);
  } else {
    std::copy_n(picture.pixels<float>(), count, out);
  }
}

std::string Transform::describe() const {
  if (steps_.empty()) return "none";
  std::string text;
  for (const auto& step : steps_) {
    if (!text.empty()) text += " | ";
    text += step->describe();
  }
  return text;
}

}  // namespace tandem
