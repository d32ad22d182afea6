// Part: which of the equal parts of something is this one's. Workers divide batches by it (workers.h, data/loader.h).
#pragma once

#include <cstdint>

namespace tandem {

/// A part of something that is divided: part `index` of `count`. Of n things it has those from begin(n) to end(n).
struct Part {
  int index = 0, count = 1;

  std::int64_t begin(std::int64_t n) const { return n * index / count; }
  std::int64_t end(std::int64_t n) const { return n * (index + 1) / count; }
  bool operator==(const Part&) const = default;
};

}  // namespace tandem
