// The buffers behind a Picture. See picture.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/picture.h>

namespace tandem {

std::string to_string(const PictureFormat& format) {
  return fmt::format("{}x{}x{} {}", format.channels, format.height, format.width, format.is_bytes ? "u8" : "f32");
}

void Picture::fail_type() const {
  if (format_.is_bytes) {
    fail("picture", "the pixels are bytes, float asked for", to_string(format_),
         "put to_unit() or normalize() before this step");
  }
  fail("picture", "the pixels are float, bytes asked for", to_string(format_),
       "put this step before to_unit() or normalize()");
}

namespace {

void check_next(const PictureFormat& format, bool is_bytes) {
  if (format.is_bytes != is_bytes) {
    fail("picture", "the next pixels have another type than their format", to_string(format),
         "next<std::uint8_t> for bytes, next<float> for floats");
  }
  if (format.height < 0 || format.width < 0 || format.channels < 0)
    fail("picture", "a size is negative", to_string(format));
}

}  // namespace

void Picture::reserve(std::int64_t byte_count, std::int64_t value_count) {
  for (auto& buffer : byte_buffers_) buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(byte_count)));
  for (auto& buffer : value_buffers_) buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(value_count)));
}

void Picture::start(const std::uint8_t* image, const PictureFormat& format, float* out, std::int64_t out_count) {
  format_ = format;
  format_.is_bytes = true;
  image_ = bytes_ = image;
  values_ = nullptr;
  out_ = out;
  out_count_ = out_count;
}

template <>
std::uint8_t* Picture::next<std::uint8_t>(const PictureFormat& format) {
  check_next(format, true);
  next_format_ = format;
  auto& buffer = byte_buffers_[bytes_ == byte_buffers_[0].data() ? 1 : 0];
  buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(format.count())));
  next_bytes_ = buffer.data();
  return buffer.data();
}

template <>
float* Picture::next<float>(const PictureFormat& format) {
  check_next(format, false);
  next_format_ = format;
  if (out_ != nullptr && values_ != out_ && format.count() == out_count_) {
    next_values_ = out_;
    return out_;
  }
  auto& buffer = value_buffers_[values_ == value_buffers_[0].data() ? 1 : 0];
  buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(format.count())));
  next_values_ = buffer.data();
  return buffer.data();
}

void Picture::switch_to_next() {
  format_ = next_format_;
  if (format_.is_bytes) {
    bytes_ = next_bytes_;
  } else {
    values_ = next_values_;
  }
}

template <>
std::uint8_t* Picture::mutable_pixels<std::uint8_t>() {
  if (!format_.is_bytes) fail_type();
  if (bytes_ == image_) {
    std::copy_n(bytes_, format_.count(), next<std::uint8_t>(format_));
    switch_to_next();
  }
  return const_cast<std::uint8_t*>(bytes_);  // a buffer of this Picture
}

template <>
float* Picture::mutable_pixels<float>() {
  if (format_.is_bytes) fail_type();
  return const_cast<float*>(values_);  // never the caller's image
}

}  // namespace tandem
