// Image files as Arrays. See image.h; the steps stand in image_format.cpp and image_decoder.cpp.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/saturate.h>
#include <tandem/data/image.h>
#include <tandem/data/image_decoder.h>

namespace tandem {

namespace {

Array to_array(const Pixels& pixels) {
  Array image = Array::empty({1, 3, pixels.height, pixels.width}, DType::u8, Layout::channels_last);
  std::copy(pixels.bytes.begin(), pixels.bytes.end(), image.data<std::uint8_t>());
  return image;
}

}  // namespace

std::int64_t decoding_memory(std::int64_t height, std::int64_t width, std::int64_t file_bytes) {
  const std::int64_t area = saturating_multiply(saturating_add(width, 32), saturating_add(height, 32));
  return saturating_add(saturating_multiply(32, area),
                        saturating_add(saturating_multiply(3, file_bytes), std::int64_t{1} << 20));
}

std::string read_image_bytes(const std::filesystem::path& path, const ImageLimits& limits) {
  const InputFile file(path);
  if (file.size() > static_cast<std::uint64_t>(std::max<std::int64_t>(limits.file_bytes, 0))) {
    fail(path.string(), "the image file is too large",
         fmt::format("expected at most {} bytes, found {}", limits.file_bytes, file.size()),
         "make it smaller, or raise ImageLimits.file_bytes");
  }
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

Array read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  return decode_image(read_image_bytes(path, limits), path.string(), limits);
}

Array decode_image(std::string_view bytes, const std::string& name, const ImageLimits& limits) {
  return to_array(decode_checked(bytes, name, limits));
}

}  // namespace tandem
