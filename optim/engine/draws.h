// Draws: a random number for each weight. It depends on (seed, name of the parameter, step, element in it) alone: the
// same for every number of threads, for groups as for one, and after a resume. Drawn in parts of 1,024 elements with a
// generator each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <tandem/core/generator.h>
#include <tandem/core/threads.h>
#include <tandem/optim/engine/frame.h>

namespace tandem {

class Draws {
 public:
  explicit Draws(const Frame& frame) : frame_(frame) {
    for (std::size_t t = 0; t < frame.tensors.size(); ++t) {
      const std::int64_t begin = frame.tensors[t].begin, end = frame.tensors[t].end;
      const std::uint64_t name = hash_of(frame.parameters[t].name);
      for (std::int64_t from = begin; from < end; from += kPart) {
        parts_.push_back({t, from, std::min(end, from + kPart), name, static_cast<std::uint64_t>(from - begin)});
      }
    }
  }

  /// take(element, a number of N(0, 1)) for all weights with a gradient in this step, in parallel.
  template <class F>
  void normal(std::int64_t seed, std::int64_t step, F&& take) const {
    constexpr std::int64_t kPartsPerThread = 2;
    const Generator root(static_cast<std::uint64_t>(seed));
    parallel_for(static_cast<std::int64_t>(parts_.size()), kPartsPerThread, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const Part& part = parts_[static_cast<std::size_t>(i)];
        if (frame_.has_gradient[part.tensor] == 0) continue;
        Generator generator = root.split(part.name, static_cast<std::uint64_t>(step)).split(part.offset);
        for (std::int64_t j = part.begin; j < part.end; ++j) take(j, generator.normal());
      }
    });
  }

 private:
  static constexpr std::int64_t kPart = 1024;
  struct Part {
    std::size_t tensor;
    std::int64_t begin, end;
    std::uint64_t name, offset;  // of the tensor; of the part inside it
  };

  /// FNV-1a: the same on every machine.
  static std::uint64_t hash_of(const std::string& name) {
    std::uint64_t h = 0xCBF29CE484222325;
    for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return h;
  }

  const Frame& frame_;
  std::vector<Part> parts_;
};

}  // namespace tandem
