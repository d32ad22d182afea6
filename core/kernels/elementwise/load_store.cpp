// Rows converted from one dtype to another: one loop, compiled for each pair and instruction set.
#include <tandem/core/kernels/elementwise/load_store.h>

#include <tandem/core/convert.h>
#include <tandem/core/dispatch.h>

namespace tandem::kernels {

namespace {

template <class X, class Y>
TANDEM_TARGETS __attribute__((flatten)) void convert_elements(const X* __restrict x, std::int64_t step_x,
                                                              Y* __restrict y, std::int64_t step_y, std::int64_t n) {
  if (step_x == 1 && step_y == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = convert_number<Y>(x[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i * step_y] = convert_number<Y>(x[i * step_x]);
  }
}

template <class X, class Y>
void convert_bytes(const std::byte* x, std::int64_t step_x, std::byte* y, std::int64_t step_y, std::int64_t n) {
  convert_elements(reinterpret_cast<const X*>(x), step_x, reinterpret_cast<Y*>(y), step_y, n);
}

}  // namespace

ConvertRow convert_row(DType from, DType to) {
  return visit_dtype(from, [&](auto x) {
    return visit_dtype(to, [&](auto y) -> ConvertRow {
      using X = decltype(x);
      using Y = decltype(y);
      if constexpr (is_work(dtype_of<X>) || is_work(dtype_of<Y>))
        return convert_bytes<X, Y>;
      else
        return nullptr;
    });
  });
}

}  // namespace tandem::kernels
