// Which weights averages take, and how far they move. At work: engine/running_average.h.
#include <tandem/optim/average.h>

#include <algorithm>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/running_average.h>

namespace tandem {
namespace {

template <class T>
class RunningEma : public RunningAverage<T> {
 public:
  RunningEma(const EmaOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : RunningAverage<T>(std::move(inner), frame, options.slow), options_(options) {}

 protected:
  bool takes(std::int64_t) const override { return true; }
  double part(std::int64_t index, std::int64_t n) const override {
    const double decay = options_.decay.at(index), t = static_cast<double>(n - 1);
    return 1 - (options_.warmup ? std::min(decay, (1 + t) / (10 + t)) : decay);
  }

 private:
  const EmaOptions& options_;
};

template <class T>
class RunningSwa : public RunningAverage<T> {
 public:
  RunningSwa(const SwaOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : RunningAverage<T>(std::move(inner), frame, options.slow), options_(options) {}

 protected:
  bool takes(std::int64_t number) const override {
    return number >= options_.from && (number - options_.from) % options_.every == 0;
  }
  double part(std::int64_t, std::int64_t n) const override { return 1 / static_cast<double>(n); }

 private:
  const SwaOptions& options_;
};

struct PolyakOptions : SwaOptions {  // every step from the first
  void fields(Fields& f) { f("slow", slow); }
};

struct EmaNode : Combinator<EmaNode, EmaOptions, RunningEma> {
  static constexpr const char* kName = "ema";
  using Combinator::Combinator;
};
struct SwaNode : Combinator<SwaNode, SwaOptions, RunningSwa> {
  static constexpr const char* kName = "swa";
  using Combinator::Combinator;
};
struct PolyakNode : Combinator<PolyakNode, PolyakOptions, RunningSwa> {
  static constexpr const char* kName = "polyak";
  using Combinator::Combinator;
};

}  // namespace

Rule ema(const Rule& inner, const EmaOptions& options) { return combine<EmaNode>(options, inner); }
Rule swa(const Rule& inner, const SwaOptions& options) { return combine<SwaNode>(options, inner); }
Rule polyak(const Rule& inner, bool slow) {
  PolyakOptions options;
  options.slow = slow;
  return combine<PolyakNode>(options, inner);
}

void detail::register_averages() {
  register_combinator<EmaNode>();
  register_combinator<SwaNode>();
  register_combinator<PolyakNode>();
}

}  // namespace tandem
