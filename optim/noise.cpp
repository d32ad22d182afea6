// The noise of a step. See noise.h.
#include <tandem/optim/noise.h>

#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/draws.h>
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

template <class T>
class RunningNoise : public PreparedTransform<T, AddNoise<T>> {
 public:
  using Base = PreparedTransform<T, AddNoise<T>>;
  RunningNoise(const NoiseOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Base(std::move(inner), frame), options_(options), draws_(frame) {}

  void begin(std::int64_t index) override {
    index_ = index;
    deviation_ = std::sqrt(options_.eta.at(index) / std::pow(1 + static_cast<double>(index), options_.gamma.at(index)));
    Base::begin(index);
  }

 protected:
  bool prepare(const Look<T>&) override {
    T* const x = this->numbers();
    draws_.normal(options_.seed, index_, [&](std::int64_t i, double z) { x[i] = static_cast<T>(deviation_ * z); });
    return false;
  }

 private:
  const NoiseOptions& options_;
  Draws draws_;
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
