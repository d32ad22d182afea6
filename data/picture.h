// Picture: one image on its way through a Transform: bytes at first, floats from normalize on; pixels are
// channels-last. Steps read it, write the next state into a spare buffer and switch to that. Buffers are kept from
// image to image.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace tandem {

struct PictureFormat {
  std::int64_t height = 0, width = 0, channels = 0;
  bool is_bytes = true;  ///< else floats

  std::int64_t count() const { return height * width * channels; }
  bool operator==(const PictureFormat&) const = default;
};

/// "3x32x32 u8" (channels, height, width).
std::string to_string(const PictureFormat& format);

class Picture {
 public:
  /// Makes room for pictures of `byte_count` bytes and `value_count` floats; else buffers grow when they are asked for.
  void reserve(std::int64_t byte_count, std::int64_t value_count);

  /// Starts with the bytes of an image, which are not copied and must outlive the steps. next<float> prefers to give
  /// `out`, where there is one, for pictures of `out_count` floats: the last step then writes where it is wanted.
  void start(const std::uint8_t* image, const PictureFormat& format, float* out = nullptr, std::int64_t out_count = 0);

  const PictureFormat& format() const { return format_; }

  /// The pixels [height, width, channels]. T is std::uint8_t while format().is_bytes, else float; Error otherwise.
  template <class T>
  const T* pixels() const {
    if (std::is_same_v<T, std::uint8_t> != format_.is_bytes) fail_type();
    if constexpr (std::is_same_v<T, float>)
      return values_;
    else
      return bytes_;
  }

  /// The pixels, to change in place. Throws Error as pixels does.
  template <class T>
  T* mutable_pixels();

  /// A buffer for the next state, with undefined contents; the present pixels stay readable until switch_to_next().
  /// Throws Error when T is not what `format` says, or a size is negative.
  template <class T>
  T* next(const PictureFormat& format);
  void switch_to_next();

  /// Calls f with a value of the present pixel type: f(std::uint8_t{}) or f(float{}).
  template <class F>
  void visit(F&& f) {
    if (format_.is_bytes) {
      f(std::uint8_t{});
    } else {
      f(float{});
    }
  }

 private:
  [[noreturn]] void fail_type() const;

  PictureFormat format_, next_format_;
  const std::uint8_t *image_ = nullptr, *bytes_ = nullptr, *next_bytes_ = nullptr;
  const float *values_ = nullptr, *next_values_ = nullptr;
  float* out_ = nullptr;
  std::int64_t out_count_ = 0;
  std::vector<std::uint8_t> byte_buffers_[2];
  std::vector<float> value_buffers_[2];
};

}  // namespace tandem
