// The noise of a step, drawn in parts of 1,024 elements with a generator each. See noise.h.
#include <tandem/optim/noise.h>

#include <cmath>

#include <tandem/core/generator.h>
#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/prepared_transform.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

template <class T>
struct AddNoise {
  static constexpr const char* kName = "noise";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr std::array kState = {State{"noise"}};
  void operator()(T& noisy, T g, T& noise) const { noisy = g + noise; }
};

/// FNV-1a: the same on every machine.
std::uint64_t hash_of(const std::string& name) {
  std::uint64_t h = 0xCBF29CE484222325;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return h;
}

template <class T>
class RunningNoise : public PreparedTransform<T, AddNoise<T>> {
 public:
  using Base = PreparedTransform<T, AddNoise<T>>;
  RunningNoise(const NoiseOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Base(std::move(inner), frame), options_(options) {
    for (std::size_t t = 0; t < frame.tensors.size(); ++t) {
      const std::int64_t begin = frame.tensors[t].begin, end = frame.tensors[t].end;
      const std::uint64_t name = hash_of(frame.parameters[t].name);
      for (std::int64_t from = begin; from < end; from += kPart) {
        parts_.push_back({t, from, std::min(end, from + kPart), name, static_cast<std::uint64_t>(from - begin)});
      }
    }
  }

  void begin(std::int64_t index) override {
    index_ = index;
    deviation_ = std::sqrt(options_.eta.at(index) / std::pow(1 + static_cast<double>(index), options_.gamma.at(index)));
    Base::begin(index);
  }

 protected:
  bool prepare(const Look<T>&) override {
    constexpr std::int64_t kPartsPerThread = 2;
    T* const x = this->numbers();
    const Generator root(static_cast<std::uint64_t>(options_.seed));
    parallel_for(static_cast<std::int64_t>(parts_.size()), kPartsPerThread, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const Part& part = parts_[static_cast<std::size_t>(i)];
        if (this->frame().has_gradient[part.tensor] == 0) continue;
        Generator generator = root.split(part.name, static_cast<std::uint64_t>(index_)).split(part.offset);
        for (std::int64_t j = part.begin; j < part.end; ++j) x[j] = static_cast<T>(deviation_ * generator.normal());
      }
    });
    return false;
  }

 private:
  static constexpr std::int64_t kPart = 1024;
  struct Part {
    std::size_t tensor;
    std::int64_t begin, end;
    std::uint64_t name, offset;  // of the tensor; of the part inside it
  };
  const NoiseOptions& options_;
  std::vector<Part> parts_;
  std::int64_t index_ = 0;
  double deviation_ = 0;
};

struct NoiseNode : Combinator<NoiseNode, NoiseOptions, RunningNoise> {
  static constexpr const char* kName = "noise";
  using Combinator::Combinator;
};

}  // namespace

Rule noise(const Rule& inner, const NoiseOptions& options) { return combine<NoiseNode>(options, inner); }

void detail::register_noise() { register_combinator<NoiseNode>(); }

}  // namespace tandem
