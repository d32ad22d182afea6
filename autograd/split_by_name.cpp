// See split_by_name.h.
#include <tandem/autograd/split_by_name.h>

#include <fmt/format.h>

#include <fnmatch.h>

#include <tandem/core/error.h>

namespace tandem {

bool matches_pattern(const std::string& name, const std::string& pattern) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

NamedSplit split_by_name(const NamedTensors& tensors, const std::string& pattern) {
  NamedSplit split;
  for (const NamedTensor& t : tensors) {
    (matches_pattern(t.name, pattern) ? split.matching : split.others).push_back(t);
  }
  if (split.matching.empty()) {
    fail_usage("parameters", fmt::format("no name matches \"{}\"", pattern),
               tensors.empty()
                   ? "there are none"
                   : fmt::format("the first is \"{}\", the last \"{}\"", tensors.front().name, tensors.back().name));
  }
  return split;
}

}  // namespace tandem
