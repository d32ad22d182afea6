// The state tree as a list of places in memory: written to NamedArrays, read back after everything was checked.
// Private to optim/ (optimizer.cpp).
#pragma once

#include <string>
#include <vector>

#include <tandem/core/io/safetensors.h>

namespace tandem {

/// An Array that is shared, or a counter.
struct TreeEntry {
  std::string name;
  std::vector<std::string> other_names = {};  ///< a tied parameter may have been saved under another name
  Array array = {};
  std::int64_t* counter = nullptr;
  bool is_zero_left_out = false;  ///< a counter that a tree has only where it is above 0
};

/// Arrays are shared, counters are i64 scalars.
NamedArrays write_tree(const std::vector<TreeEntry>& entries);

/// Copies into the entries. Throws Error naming the entry when one is missing, unexpected or of another shape or dtype;
/// nothing has changed then. `owner` describes the optimizer.
void read_tree(const std::vector<TreeEntry>& entries, const NamedArrays& tree, const std::string& owner);

}  // namespace tandem
