// Small pieces of text that layers share in describe().
#pragma once

#include <string>

#include <tandem/core/shape.h>

namespace tandem::nn {

/// "2" where both sizes are equal, else "2x1".
inline std::string describe_size(Size2 size) { return size.h == size.w ? std::to_string(size.h) : to_string(size); }

}  // namespace tandem::nn
