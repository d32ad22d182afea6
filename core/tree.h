// A tree of named Arrays ("optimizer/groups/0/slow/conv1.weight") as a list, and the difference of two of them.
// What state trees, checkpoints and bit-for-bit tests are compared with. Not here: files (safetensors.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/core/io/safetensors.h>

namespace tandem {

/// One entry in which two trees differ.
struct TreeDifference {
  enum class Kind { only_in_first, only_in_second, shape_or_dtype, values };
  Kind kind;
  std::string name;
  std::string detail;      ///< for people: shapes, or the largest difference and where it is
  std::int64_t count = 0;  ///< values that differ by more than the tolerance
  double largest = 0;      ///< largest |a - b|; infinite when one is not a number
};

/// All differences, in the order of `a`, then of `b`. With tolerance 0 every bit counts; else |a - b| <= tolerance is
/// equal. The order of entries does not matter.
std::vector<TreeDifference> compare_trees(const NamedArrays& a, const NamedArrays& b, double tolerance = 0);

/// A line an entry; "equal" when there are none.
std::string to_string(const std::vector<TreeDifference>& differences);

/// The entries below `prefix`, which is taken off their names.
NamedArrays subtree(const NamedArrays& tree, std::string_view prefix);
/// Adds `entries` to `tree` with `prefix` before their names.
void graft(NamedArrays& tree, std::string_view prefix, const NamedArrays& entries);
/// Copies that share no memory with `tree`.
NamedArrays clone(const NamedArrays& tree);
/// The Array of this name, or nullptr.
const Array* find_array(const NamedArrays& tree, std::string_view name);

}  // namespace tandem
