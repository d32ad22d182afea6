// See epilogue.h.
#include <tandem/core/kernels/epilogue.h>

#include <fmt/format.h>

#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

TANDEM_TARGETS void finish(float* y, const float* b, std::int64_t rows, std::int64_t columns, float slope) {
  for (std::int64_t i = 0; i < rows; ++i, y += columns)
    for (std::int64_t c = 0; c < columns; ++c) {
      const float u = b == nullptr ? y[c] : y[c] + b[c];
      const float below = slope == 0.0F ? 0.0F : slope * u;
      y[c] = u < 0.0F ? below : u;
    }
}

}  // namespace

void require_bias_shape(const char* where, const Array& b, std::int64_t channels, const Shape& x, const Shape& w) {
  if (b.shape() == Shape{channels}) return;
  fail(where, fmt::format("b is {}, must be [{}]", to_string(b.shape()), channels),
       fmt::format("x {}, w {}", to_string(x), to_string(w)));
}

void finish_rows(float* y, const float* b, std::int64_t rows, std::int64_t columns, double slope) {
  if ((b == nullptr && slope == 1) || columns == 0) return;
  parallel_for(rows, 1 + 65536 / columns, [&](std::int64_t begin, std::int64_t end) {
    finish(y + begin * columns, b, end - begin, columns, static_cast<float>(slope));
  });
}

void finish_images(Array& y, const Array& b, double slope) {
  if (y.size() == 0) return;
  const Array bias = b.defined() ? b.contiguous() : b;
  finish_rows(y.data<float>(), bias.defined() ? bias.data<float>() : nullptr, y.size() / y.shape(1), y.shape(1), slope);
}

}  // namespace tandem::kernels
