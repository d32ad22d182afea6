// A matrix transposed in square tiles of 16-byte rows, which stay in registers. Private to copy.cpp.
//
// A round zips row k with row k + n/2: of the bits of an element's place, row before column, the first goes to the end.
// After log2(n) rounds row and column have changed places.
#pragma once

#include <cstdint>
#include <cstring>

#include <tandem/core/dispatch.h>

namespace tandem::kernels::detail {

template <class T>
struct SquareTile {
  static constexpr int kSide = 16 / sizeof(T);
  typedef T Row __attribute__((vector_size(16)));

  /// y[r * y_step + i] = x[i * x_step + r] for r, i < kSide.
  TANDEM_INLINE static void transpose(const T* x, std::int64_t x_step, T* y, std::int64_t y_step) {
    Row rows[kSide], zipped[kSide];
    for (int i = 0; i < kSide; ++i) std::memcpy(&rows[i], x + i * x_step, sizeof(Row));
    for (int round = 1; round < kSide; round *= 2) {
      for (int k = 0; k < kSide / 2; ++k) {
        zipped[2 * k] = zip_first(rows[k], rows[k + kSide / 2]);
        zipped[2 * k + 1] = zip_last(rows[k], rows[k + kSide / 2]);
      }
      for (int k = 0; k < kSide; ++k) rows[k] = zipped[k];
    }
    for (int r = 0; r < kSide; ++r) std::memcpy(y + r * y_step, &rows[r], sizeof(Row));
  }

 private:
  /// a0 b0 a1 b1 ... of the first halves; of the last halves.
  TANDEM_INLINE static Row zip_first(Row a, Row b) {
    if constexpr (kSide == 2) return __builtin_shufflevector(a, b, 0, 2);
    if constexpr (kSide == 4) return __builtin_shufflevector(a, b, 0, 4, 1, 5);
    if constexpr (kSide == 8) return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    if constexpr (kSide == 16)
      return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  TANDEM_INLINE static Row zip_last(Row a, Row b) {
    if constexpr (kSide == 2) return __builtin_shufflevector(a, b, 1, 3);
    if constexpr (kSide == 4) return __builtin_shufflevector(a, b, 2, 6, 3, 7);
    if constexpr (kSide == 8) return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    if constexpr (kSide == 16)
      return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
};

}  // namespace tandem::kernels::detail
