// Averages at work: one more buffer, moved when the inner rule is through with a block.
#include <tandem/optim/average.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

/// The average moves towards the weight: exact where both are equal.
template <class T>
struct Approach {
  static constexpr const char* kName = "average";
  static constexpr std::array kNames = {"average", "w"};
  static constexpr auto kState = kNoState;
  T part;
  void operator()(T& average, T weight) const { average += part * (weight - average); }
};

template <class T>
struct First {
  static constexpr const char* kName = "average";
  static constexpr std::array kNames = {"average", "w"};
  static constexpr auto kState = kNoState;
  void operator()(T& average, T weight) const { average = weight; }
};

template <class T>
class RunningAverage : public Follower<T> {
 public:
  RunningAverage(std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Follower<T>(std::move(inner)), average_(frame) {}

  void begin(std::int64_t index) override {
    this->inner().begin(index);
    const bool is_taken = takes(index + 1);
    if (is_taken) part_ = ++taken_ == 1 ? 1 : part(index, taken_);
    this->plan(is_taken, false);
  }

  void act(const Block<T>& block) override {
    T* const average = average_.at(block.begin);
    if (taken_ == 1) {
      detail::copy_pass<T>(First<T>{}, average, block.weight, block.size());
    } else {
      detail::formula_pass<T>(Approach<T>{coefficient<T>("part", part_)}, average, block.weight, nullptr, block.size());
    }
  }

  void restart_averages() override {
    taken_ = 0;
    this->inner().restart_averages();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    visitor.buffer(path + "average", average_);
    visitor.counter(path + "taken", taken_);
    Follower<T>::state(path, visitor);
  }
  T* evaluation_weights() override { return taken_ > 0 ? average_.at(0) : this->inner().evaluation_weights(); }
  bool is_at_sync() const override { return taken_ == 0 && this->inner().is_at_sync(); }

 protected:
  /// Whether the weights after step `number` (from 1) are taken.
  virtual bool takes(std::int64_t number) const = 0;
  /// How far the average moves when it takes its n-th weights.
  virtual double part(std::int64_t index, std::int64_t n) const = 0;

 private:
  Numbers<T> average_;
  std::int64_t taken_ = 0;  // weights in the average
  double part_ = 0;
};

template <class T>
class RunningEma : public RunningAverage<T> {
 public:
  RunningEma(const EmaOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : RunningAverage<T>(std::move(inner), frame), options_(options) {}

 protected:
  bool takes(std::int64_t) const override { return true; }
  double part(std::int64_t index, std::int64_t) const override { return 1 - options_.decay.at(index); }

 private:
  const EmaOptions& options_;
};

template <class T>
class RunningSwa : public RunningAverage<T> {
 public:
  RunningSwa(const SwaOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : RunningAverage<T>(std::move(inner), frame), options_(options) {}

 protected:
  bool takes(std::int64_t number) const override {
    return number >= options_.from && (number - options_.from) % options_.every == 0;
  }
  double part(std::int64_t, std::int64_t n) const override { return 1 / static_cast<double>(n); }

 private:
  const SwaOptions& options_;
};

struct PolyakOptions : SwaOptions {  // every step from the first
  void fields(Fields&) {}
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
Rule polyak(const Rule& inner) { return combine<PolyakNode>({}, inner); }

void detail::register_averages() {
  register_combinator<EmaNode>();
  register_combinator<SwaNode>();
  register_combinator<PolyakNode>();
}

}  // namespace tandem
