// The live counters behind core/kernels/convolution/cache_stats.h.
#pragma once

#include <tandem/core/kernels/convolution/cache_stats.h>

namespace tandem::onednn {

/// Touched under execution_mutex() only.
kernels::KernelCacheStats& cache_counts();

}  // namespace tandem::onednn
