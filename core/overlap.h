// Which memory an Array reaches, and the question that every write in place must ask: does it meet what is read?
#pragma once

#include <tandem/core/array.h>

namespace tandem {

/// Whether some byte of a and some of b may be the same: the ranges from first to last element meet. Views that lie in
/// each other's gaps count as overlapping.
bool overlaps(const Array& a, const Array& b);

/// Whether element i of both is the same memory, for every i: overlapping then does no harm elementwise.
bool is_same_view(const Array& a, const Array& b);

/// Throws Error "where: y shows a number more than once ..." for a view whose stride is 0 over a size above 1, as
/// expand makes it: writing there would write several values into one number.
void require_writable(const char* where, const char* name, const Array& y);

/// x, or a copy of it where writing y while x is read would change what is read.
Array apart_from(const Array& x, const Array& y);

}  // namespace tandem
