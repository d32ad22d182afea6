// Roof: the most that this machine does, measured: what a kernel's rates are held against (Williams et al. 2009,
// "Roofline"). Of all threads together. A kernel that works in the caches may exceed the memory's roof.
#pragma once

#include <tandem/core/dtype.h>

namespace tandem {

struct Roof {
  double operations = 0;       ///< a second, of a large f32 matrix product
  double bf16_operations = 0;  ///< of a bf16 one; 0: not measured
  double bytes = 0;            ///< a second, read and written, of a copy beyond the caches
};

/// Takes a fifth of a second, or two with bf16.
Roof measure_roof(bool with_bf16 = false);

/// The share of the roof that so many operations and bytes in `seconds` reach: the larger of the two; 0 where nothing
/// is known of them.
double share_of_roof(const Roof& roof, DType dtype, double operations, double bytes, double seconds);

}  // namespace tandem
