// Composition of transforms, and the way from bytes to floats. See transform.h; the steps stand in augment.cpp.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/bytes_to_floats.h>
#include <tandem/data/transform.h>

namespace tandem {

namespace {

/// An error inside a step names it.
void apply_step(const TransformStep& step, Picture& picture, Generator& generator) {
  try {
    step.apply(picture, generator);
  } catch (const Error& error) {
    const std::string name = step.describe();
    if (error.message().starts_with(name)) throw;
    throw Error(fmt::format("{}: {}", name, error.message()));
  }
}

}  // namespace

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

void Transform::reserve(const PictureFormat& format, Picture& picture) const {
  PictureFormat present = format;
  std::int64_t bytes = format.count(), values = 0;
  for (const auto& step : steps_) {
    present = step->output(present);
    (present.is_bytes ? bytes : values) = std::max(present.is_bytes ? bytes : values, present.count());
  }
  picture.reserve(bytes, values);
}

void Transform::apply(const std::uint8_t* image, const PictureFormat& format, Generator generator, Picture& picture,
                      float* out, std::int64_t out_count) const {
  picture.start(image, format, out, out_count);
  for (const auto& step : steps_) apply_step(*step, picture, generator);
  if (picture.format().count() != out_count) {
    fail("transform", "a step makes another size than its output() says",
         fmt::format("{}, {} numbers expected", to_string(picture.format()), out_count), describe());
  }
  if (picture.format().is_bytes) {
    static const ByteScale plain({0}, {1});
    plain.convert(picture.pixels<std::uint8_t>(), out_count, out);
  } else if (picture.pixels<float>() != out) {
    std::copy_n(picture.pixels<float>(), out_count, out);
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
