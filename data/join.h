// join: two sets of pictures as one, such as the parts of a folder that no model was trained on. The way back:
// hold_out.h.
#pragma once

#include <tandem/data/dataset.h>

namespace tandem {

/// The pictures of `a`, then those of `b`; name, classes and statistics are those of `a`. Throws Error when pictures
/// have other sizes or the classes differ.
Dataset join(const Dataset& a, const Dataset& b);

}  // namespace tandem
