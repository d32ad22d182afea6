// split_by_name: named tensors by a pattern, and the rest: for the groups of an Optimizer, for freezing. What a pattern
// means is said here alone. Read next: nn/module.h (parameters of a model by a pattern).
#pragma once

#include <string>

#include <tandem/autograd/named_tensor.h>

namespace tandem {

/// Whether a name matches a pattern, as a shell matches names of files: * stands for any letters, dots too, ? for one,
/// [abc] for one of these.
bool matches_pattern(const std::string& name, const std::string& pattern);

struct NamedSplit {
  NamedTensors matching, others;  ///< each in the order of the list
};

/// The tensors whose names match `pattern`, and the others. Throws UsageError when none match.
///   split_by_name(tensors, "*.bias")
NamedSplit split_by_name(const NamedTensors& tensors, const std::string& pattern);

}  // namespace tandem
