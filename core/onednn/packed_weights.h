// Copies of weights in the layout and the dtype that a primitive wants, made once per version of the weights' Storage:
// f32 master weights become packed bf16 in the one pass that packs them.
//
//   Storage id -> [copy for forward | copy for backward data | ...]    each: version, memory that is kept, reorder
//
// A new version repacks into the same memory; a Storage that dies takes its copies with it (set_packed_copy_reaper).
#pragma once

#include <tandem/core/array.h>

#include "adapter.h"

namespace tandem::onednn {

/// oneDNN's dims and strides of w [K, C/groups, R, S]; with groups > 1 five of them, the group first.
Descriptor weights_descriptor(const Array& w, std::int64_t groups);
dnnl::memory::dims weights_dims(const Shape& w, std::int64_t groups);

/// w, which lies as `layout` says, as `wanted`: its own memory when they are equal, else a packed copy of its present
/// version. The caller holds execution_mutex().
dnnl::memory packed_weights(const Array& w, const Descriptor& layout, const Descriptor& wanted);

/// Packing makes its primitives anew afterwards. The caller holds execution_mutex().
void release_reorders();

/// f32 or bf16.
dnnl::memory::data_type data_type_of(const Array& x);

}  // namespace tandem::onednn
