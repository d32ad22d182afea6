// The one rule by which layouts travel from inputs to outputs.
//
// An output takes the layout of the first input that has the output's rank and a layout of its own, looking through
// inputs in order. An Array of rank 4 "has a layout of its own" when its strides can be read in one way only:
// C = 1 or H = W = 1 makes row major and channels-last the same memory, so such an input leaves the choice to the next.
// When no input decides, the first of rank 4 does, by how its strides of size-1 dims were made (Array::layout);
// without any, row major. Read next: Array::layout.
#pragma once

#include <initializer_list>

#include <tandem/core/array.h>

namespace tandem {

/// The layout for an output of rank `rank` computed from `inputs`.
Layout propagate_layout(int rank, std::initializer_list<const Array*> inputs);

/// True when row major and channels-last are the same memory for this shape (rank 4, and C = 1 or H = W = 1).
bool is_ambiguous(const Shape& shape);

}  // namespace tandem
