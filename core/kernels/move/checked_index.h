// Indices of gather, take_rows and their transposes. Private to core/kernels/move.
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels::detail {

/// The index in row-major order. Throws Error naming the first value that is not in [0, size).
Array checked_index(const char* where, const Array& index, std::int64_t size);

}  // namespace tandem::kernels::detail
