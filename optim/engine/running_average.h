// RunningAverage: an average of the weights at work, one more buffer, moved when the inner rule is through with a
// block. A subclass says which weights are taken and how far the average moves (average.cpp, asgd.cpp).
#pragma once

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/wrapper.h>

namespace tandem {

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
  /// `of_slow`: what the inner rule evaluates on is averaged, where it has such weights.
  RunningAverage(std::unique_ptr<Running<T>> inner, const Frame& frame, bool of_slow = false)
      : Follower<T>(std::move(inner)), average_(frame), of_slow_(of_slow) {}

  void begin(std::int64_t index) override {
    this->inner().begin(index);
    const bool is_taken = takes(index + 1);
    if (is_taken) part_ = ++taken_ == 1 ? 1 : part(index, taken_);
    this->plan(is_taken, false);
  }

  void act(const Block<T>& block) override {
    T* const average = average_.at(block.begin);
    const T* const shown = of_slow_ ? this->inner().evaluation_weights() : nullptr;
    const T* const taken = shown != nullptr ? shown + block.begin : block.weight;
    if (part_ == 1) {
      detail::copy_pass<T>(First<T>{}, average, taken, block.size());
    } else {
      detail::formula_pass<T>(Approach<T>{coefficient<T>("part", part_)}, average, taken, nullptr, block.size());
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
  const bool of_slow_;
  std::int64_t taken_ = 0;  // weights in the average
  double part_ = 0;
};

}  // namespace tandem
