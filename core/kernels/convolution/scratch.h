// Buffers of floats that live for one call. Private to core/kernels/convolution.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tandem/core/storage.h>

namespace tandem::kernels {

inline float* floats(const Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); }
inline std::size_t bytes(std::int64_t numbers) { return static_cast<std::size_t>(numbers) * sizeof(float); }

}  // namespace tandem::kernels
