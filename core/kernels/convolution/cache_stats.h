// What the kernels keep between calls: compiled primitives and packed copies of weights. For tests and tools:
// after warm-up a training step changes `packings` only, by one for each weight and layout.
#pragma once

#include <cstdint>

namespace tandem::kernels {

struct KernelCacheStats {
  std::int64_t primitives = 0;          ///< held now
  std::int64_t primitives_created = 0;  ///< ever, reorders included
  std::int64_t packed_copies = 0;       ///< of weights, held now
  std::int64_t packings = 0;            ///< how often a weight was written into its packed copy, ever

  bool operator==(const KernelCacheStats&) const = default;
};

KernelCacheStats kernel_cache_stats();

/// Drops compiled primitives and the scratch memory they share. Packed copies go with their weights.
void release_kernel_caches();

}  // namespace tandem::kernels
