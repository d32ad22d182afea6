// Buffers of floats that live for one call, and the sizes of their rows. Private to core/kernels/convolution.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tandem/core/kernels/convolution/winograd_loops.h>
#include <tandem/core/storage.h>

namespace tandem::kernels {

inline float* floats(const Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); }
inline std::size_t bytes(std::int64_t numbers) { return static_cast<std::size_t>(numbers) * sizeof(float); }

inline std::int64_t in_panels(std::int64_t numbers) {
  return (numbers + tiles::kPanel - 1) / tiles::kPanel * tiles::kPanel;
}
/// Rows an odd number of cache lines apart: those a power of two apart would share the sets of the caches.
inline std::int64_t row_of(std::int64_t numbers) {
  return ((numbers + tiles::kPanel - 1) / tiles::kPanel | 1) * tiles::kPanel;
}

}  // namespace tandem::kernels
