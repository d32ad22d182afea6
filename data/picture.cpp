// The buffers behind a Picture. See picture.h.
#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include <tandem/data/picture.h>

namespace tandem {

std::string to_string(const PictureFormat& format) {
  return fmt::format("{}x{}x{} {}", format.channels, format.height, format.width, format.is_bytes ? "u8" : "f32");
}

void Picture::start(const std::uint8_t* image, std::int64_t height, std::int64_t width, std::int64_t channels) {
  format_ = {height, width, channels, true};
  bytes_ = image;
  values_ = nullptr;
}

template <>
std::uint8_t* Picture::next<std::uint8_t>(const PictureFormat& format) {
  assert(format.is_bytes);
  next_format_ = format;
  auto& buffer = byte_buffers_[byte_side_];
  buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(format.count())));
  return buffer.data();
}

template <>
float* Picture::next<float>(const PictureFormat& format) {
  assert(!format.is_bytes);
  next_format_ = format;
  auto& buffer = value_buffers_[value_side_];
  buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(format.count())));
  return buffer.data();
}

void Picture::switch_to_next() {
  format_ = next_format_;
  if (format_.is_bytes) {
    bytes_ = byte_buffers_[byte_side_].data();
    byte_side_ = 1 - byte_side_;
  } else {
    values_ = value_buffers_[value_side_].data();
    value_side_ = 1 - value_side_;
  }
}

template <>
std::uint8_t* Picture::mutable_pixels<std::uint8_t>() {
  auto& own = byte_buffers_[1 - byte_side_];
  if (bytes_ != own.data()) {  // still the caller's image
    std::copy_n(bytes_, format_.count(), next<std::uint8_t>(format_));
    switch_to_next();
    return byte_buffers_[1 - byte_side_].data();
  }
  return own.data();
}

template <>
float* Picture::mutable_pixels<float>() {
  return value_buffers_[1 - value_side_].data();  // floats are never the caller's
}

}  // namespace tandem
