// PNG through stb_image_write, compressed by zlib; grids by copying rows. See png.h.
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/png.h>

namespace {

// A third smaller than stb_image_write's own compression. The block is freed by std::free.
unsigned char* compress_with_zlib(unsigned char* bytes, int count, int* out_count, int level) {
  uLongf size = ::compressBound(static_cast<uLong>(count));
  auto* out = static_cast<unsigned char*>(std::malloc(size));
  if (out == nullptr) return nullptr;
  if (::compress2(out, &size, bytes, static_cast<uLong>(count), level) != Z_OK) {
    std::free(out);
    return nullptr;
  }
  *out_count = static_cast<int>(size);
  return out;
}

}  // namespace

#define STBIW_ZLIB_COMPRESS compress_with_zlib
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

namespace tandem {

namespace {

template <class T>
void floats_to_bytes(const T* x, std::int64_t count, std::uint8_t* y) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (std::isnan(x[i])) fail("to_bytes", "a value is not a number", fmt::format("element {} of {}", i, count));
    y[i] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(static_cast<double>(x[i]), 0.0, 1.0)));
  }
}

void check_channels(const char* where, const Array& images, int rank) {
  if (images.rank() != rank || images.size() == 0 || (images.shape(1) != 1 && images.shape(1) != 3)) {
    fail(where, "images must be [N, C, H, W] with C = 1 or 3 and not empty",
         images.defined() ? images.shape().to_string() : "undefined");
  }
}

void check_options(const char* where, const ImageGridOptions& o) {
  constexpr std::int64_t kMost = 4096;
  if (o.columns < 1 || o.gap < 0 || o.gap > kMost || o.scale < 1 || o.scale > kMost) {
    fail(where, "columns and scale must be positive, gap not negative, gap and scale at most 4096",
         fmt::format("columns {}, gap {}, scale {}", o.columns, o.gap, o.scale));
  }
}

// A picture in the making: places of images are counted in rows and columns.
class Sheet {
 public:
  Sheet(const Shape& image, std::int64_t rows, std::int64_t columns, const ImageGridOptions& options)
      : options_(options), channels_(image[1]), height_(image[2]), width_(image[3]) {
    const std::int64_t h = rows * (height_ + options.gap) - options.gap;
    const std::int64_t w = columns * (width_ + options.gap) - options.gap;
    sheet_ = Array::empty({1, channels_, options.scale * h, options.scale * w}, DType::u8, Layout::channels_last);
    std::fill_n(sheet_.data<std::uint8_t>(), sheet_.size(), options.background);
  }

  // Image n of `images`, u8 channels-last.
  void place(const Array& images, std::int64_t n, std::int64_t row, std::int64_t column) {
    const std::int64_t scale = options_.scale, line = sheet_.shape(3) * channels_;
    const std::uint8_t* x = images.data<std::uint8_t>() + n * height_ * width_ * channels_;
    std::uint8_t* y = sheet_.data<std::uint8_t>() + row * (height_ + options_.gap) * scale * line +
                      column * (width_ + options_.gap) * scale * channels_;
    for (std::int64_t i = 0; i < height_ * scale; ++i, y += line) {
      const std::uint8_t* from = x + i / scale * width_ * channels_;
      for (std::int64_t j = 0; j < width_ * scale; ++j) {
        std::copy_n(from + j / scale * channels_, channels_, y + j * channels_);
      }
    }
  }

  const Array& sheet() const { return sheet_; }

 private:
  const ImageGridOptions& options_;
  std::int64_t channels_, height_, width_;
  Array sheet_;
};

}  // namespace

Array to_bytes(const Array& images) {
  require_defined("to_bytes", "images", images);
  if (images.dtype() == DType::u8) return images;
  if (images.dtype() == DType::bf16) return to_bytes(images.to(DType::f32));
  if (images.dtype() != DType::f32 && images.dtype() != DType::f64)
    fail("to_bytes", "images must be u8, f32, bf16 or f64", std::string(name(images.dtype())));
  const Array x = images.to_layout(images.rank() == 4 ? images.layout() : Layout::row_major);
  Array y = Array::empty_like(x, DType::u8);
  if (x.dtype() == DType::f32) {
    floats_to_bytes(x.data<float>(), x.size(), y.data<std::uint8_t>());
  } else {
    floats_to_bytes(x.data<double>(), x.size(), y.data<std::uint8_t>());
  }
  return y;
}

std::string encode_png(const Array& image) {
  require_defined("encode_png", "image", image);
  const Array one = image.rank() == 3 ? image.unsqueeze(0) : image;
  if (one.rank() != 4 || one.shape(0) != 1 || one.size() == 0 || (one.shape(1) != 1 && one.shape(1) != 3))
    fail("encode_png", "image must be [C, H, W] or [1, C, H, W] with C = 1 or 3 and not empty",
         image.shape().to_string(), "image_grid makes one of many");
  if (one.size() + one.shape(2) > std::numeric_limits<std::int32_t>::max() / 2)
    fail("encode_png", "image is too large", image.shape().to_string());
  const Array plain = to_bytes(one).to_layout(Layout::channels_last);
  int count = 0;
  const std::unique_ptr<unsigned char, decltype(&std::free)> bytes(
      stbi_write_png_to_mem(plain.data<std::uint8_t>(), 0, static_cast<int>(plain.shape(3)),
                            static_cast<int>(plain.shape(2)), static_cast<int>(plain.shape(1)), &count),
      &std::free);
  if (!bytes) fail("encode_png", "out of memory", image.shape().to_string());
  return std::string(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(count));
}

void write_png(const std::filesystem::path& path, const Array& image) { write_file(path, encode_png(image)); }

Array image_grid(const Array& images, const ImageGridOptions& options) {
  require_defined("image_grid", "images", images);
  check_channels("image_grid", images, 4);
  check_options("image_grid", options);
  const Array bytes = to_bytes(images).to_layout(Layout::channels_last);
  const std::int64_t count = bytes.shape(0), columns = std::min(options.columns, count);
  Sheet sheet(bytes.shape(), (count + columns - 1) / columns, columns, options);
  for (std::int64_t n = 0; n < count; ++n) sheet.place(bytes, n, n / columns, n % columns);
  return sheet.sheet();
}

Array image_rows(const std::vector<Array>& rows, const ImageGridOptions& options) {
  check_options("image_rows", options);
  if (rows.empty()) fail("image_rows", "needs at least one row");
  std::int64_t columns = 0;
  for (const Array& row : rows) {
    require_defined("image_rows", "a row", row);
    check_channels("image_rows", row, 4);
    for (const int dim : {1, 2, 3}) {
      if (row.shape(dim) != rows[0].shape(dim))
        fail("image_rows", "rows must hold images of one shape",
             fmt::format("{} and {}", rows[0].shape().to_string(), row.shape().to_string()));
    }
    columns = std::max(columns, row.shape(0));
  }
  Sheet sheet(rows[0].shape(), static_cast<std::int64_t>(rows.size()), columns, options);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Array bytes = to_bytes(rows[i]).to_layout(Layout::channels_last);
    for (std::int64_t n = 0; n < bytes.shape(0); ++n) sheet.place(bytes, n, static_cast<std::int64_t>(i), n);
  }
  return sheet.sheet();
}

}  // namespace tandem
