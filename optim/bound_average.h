// Averages at work: one more buffer, moved inside the inner rule's blocks. Private to optim/ (combinators.cpp).
#pragma once

#include <tandem/optim/average.h>
#include <tandem/optim/leaf.h>

namespace tandem {

/// The average moves towards the weight: exact where both are equal.
template <class T>
struct Approach {
  static constexpr auto kState = kNoState;
  T part;
  void operator()(T& average, T weight) const { average += part * (weight - average); }
};

template <class T>
class BoundAverage : public Wrapper<T> {
 public:
  BoundAverage(std::unique_ptr<Bound<T>> inner, const Frame& frame)
      : Wrapper<T>(std::move(inner)), array_(Array::zeros({frame.size}, frame.dtype)) {
    average_ = array_.template data<T>();
  }

  void prepare(std::int64_t index) override {
    this->inner().prepare(index);
    is_taken_ = takes(index + 1);
    if (is_taken_) part_ = ++taken_ == 1 ? 1 : part(index, taken_);
  }

  void update(const Block<T>& block, int phase) override {
    this->inner().update(block, phase);
    if (!is_taken_ || phase + 1 < this->phases()) return;
    if (taken_ == 1) {
      std::copy(block.weight + block.begin, block.weight + block.end, average_ + block.begin);
    } else {
      detail::formula_pass<T>(Approach<T>{static_cast<T>(part_)}, average_ + block.begin, block.weight + block.begin,
                              nullptr, block.end - block.begin);
    }
  }

  void restart_averages() override {
    taken_ = 0;
    this->inner().restart_averages();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    visitor.buffer(path + "average", array_);
    visitor.counter(path + "taken", taken_);
    this->inner().state(path + "inner/", visitor);
  }
  T* evaluation_weights() override { return taken_ > 0 ? average_ : this->inner().evaluation_weights(); }
  bool is_at_sync() const override { return taken_ == 0 && this->inner().is_at_sync(); }

 protected:
  /// Whether the weights after step `number` (from 1) are taken.
  virtual bool takes(std::int64_t number) const = 0;
  /// How far the average moves when it takes its n-th weights.
  virtual double part(std::int64_t index, std::int64_t n) const = 0;

 private:
  Array array_;
  T* average_ = nullptr;
  std::int64_t taken_ = 0;  // weights in the average
  bool is_taken_ = false;
  double part_ = 0;
};

template <class T>
class BoundEma : public BoundAverage<T> {
 public:
  BoundEma(const EmaOptions& options, std::unique_ptr<Bound<T>> inner, const Frame& frame)
      : BoundAverage<T>(std::move(inner), frame), options_(options) {}

 protected:
  bool takes(std::int64_t) const override { return true; }
  double part(std::int64_t index, std::int64_t) const override { return 1 - options_.decay.at(index); }

 private:
  const EmaOptions& options_;
};

template <class T>
class BoundSwa : public BoundAverage<T> {
 public:
  BoundSwa(const SwaOptions& options, std::unique_ptr<Bound<T>> inner, const Frame& frame)
      : BoundAverage<T>(std::move(inner), frame), options_(options) {}

 protected:
  bool takes(std::int64_t number) const override {
    return number >= options_.from && (number - options_.from) % options_.every == 0;
  }
  double part(std::int64_t, std::int64_t n) const override { return 1 / static_cast<double>(n); }

 private:
  const SwaOptions& options_;
};

}  // namespace tandem
