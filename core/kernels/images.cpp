// See images.h.
#include <tandem/core/kernels/images.h>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/saturate.h>

namespace tandem::kernels::detail {

Array empty_images(const Shape& shape, DType dtype) { return Array::empty(shape, dtype, Layout::channels_last); }

Array as_images(const Array& x) {
  if (!x.defined() || x.rank() == 4) return x.defined() ? x.to_layout(Layout::channels_last) : x;
  const std::int64_t pictures = x.shape(0) * x.shape(1);
  return x.reshape({x.shape(0), x.shape(1), pictures == 0 ? 0 : x.size() / pictures, 1})
      .to_layout(Layout::channels_last);
}

void require_shape(const char* where, const char* name, const Array& x, const Shape& shape) {
  if (x.shape() == shape) return;
  fail(where, fmt::format("{} is {}, must be {}", name, x.shape().to_string(), shape.to_string()));
}

void require_window_size(const char* where, const char* option, Size2 size, std::int64_t least) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::int64_t smaller = std::min(size.h, size.w), larger = std::max(size.h, size.w);
  if (smaller < least) fail(where, fmt::format("{} is {}, must be at least {}", option, to_string(size), least));
  if (larger > kMost) fail(where, fmt::format("{} is {}, must be at most {}", option, to_string(size), kMost));
}

std::int64_t count_windows(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                           std::int64_t dilation) {
  const std::int64_t covered = saturating_add(saturating_multiply(dilation, kernel - 1), 1);
  const std::int64_t room = saturating_add(size, saturating_multiply(2, padding)) - covered;
  return room < 0 ? 0 : room / stride + 1;
}

}  // namespace tandem::kernels::detail
