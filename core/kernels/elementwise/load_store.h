// The layer between memory and loops: a row of elements of any dtype becomes a row of the type that is computed in, and
// back. Loops are written for float, double and int64 only; all other dtypes are rows converted on their way, a block
// that stays in the L1 cache at a time.
// Not here: which rows (strided_loop.h). Read next: strided_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tandem/core/dtype.h>

namespace tandem::kernels {

/// y[i * step_y] = x[i * step_x] for i < n, steps in elements; x and y do not overlap.
using ConvertRow = void (*)(const std::byte* x, std::int64_t step_x, std::byte* y, std::int64_t step_y, std::int64_t n);

/// The function for this pair, one of which is_work(); numbers convert as convert.h says.
ConvertRow convert_row(DType from, DType to);

}  // namespace tandem::kernels
