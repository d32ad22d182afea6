// Clipping at work: a transform of the gradient, block by block, into scratch memory. Private to optim/
// (combinators.cpp).
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>

namespace tandem {

/// Writes a changed gradient to scratch; a subclass says how.
template <class T>
class BoundTransform : public Wrapper<T> {
 public:
  using Wrapper<T>::Wrapper;

  void measure(const T* weight, const GradientSource<T>& source, int phase) override {
    this->inner().measure(weight, Transformed(source, *this), phase);
  }
  void update(const Block<T>& block, int phase) override {
    Block<T> changed = block;
    if (phase == 0) changed.gradient = transform(block.gradient, block.end - block.begin, block.scratch);
    this->inner().update(changed, phase);
  }

 protected:
  /// n gradients, in place (unchanged) or in scratch, which may be where they already stand.
  virtual const T* transform(const T* gradient, std::int64_t n, T* scratch) const = 0;

 private:
  class Transformed : public GradientSource<T> {
   public:
    Transformed(const GradientSource<T>& source, const BoundTransform& transform)
        : source_(source), transform_(transform) {}
    const T* read(std::int64_t begin, std::int64_t end, T* scratch) const override {
      return transform_.transform(source_.read(begin, end, scratch), end - begin, scratch);
    }
    const std::vector<Run>& runs() const override { return source_.runs(); }

   private:
    const GradientSource<T>& source_;
    const BoundTransform& transform_;
  };
};

template <class T>
class BoundClipValue : public BoundTransform<T> {
 public:
  BoundClipValue(const Schedule& max, std::unique_ptr<Bound<T>> inner, const Frame&)
      : BoundTransform<T>(std::move(inner)), max_(max) {}
  void prepare(std::int64_t index) override {
    limit_ = static_cast<T>(max_.at(index));
    this->inner().prepare(index);
  }

 protected:
  const T* transform(const T* gradient, std::int64_t n, T* scratch) const override {
    for (std::int64_t i = 0; i < n; ++i) scratch[i] = std::clamp(gradient[i], -limit_, limit_);
    return scratch;
  }

 private:
  const Schedule& max_;
  T limit_ = 0;
};

template <class T>
class BoundClipNorm : public BoundTransform<T> {
 public:
  BoundClipNorm(const Schedule& max, std::unique_ptr<Bound<T>> inner, const Frame& frame)
      : BoundTransform<T>(std::move(inner)),
        max_(max),
        size_(frame.size),
        sums_(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock)) {}
  void prepare(std::int64_t index) override {
    limit_ = max_.at(index);
    this->inner().prepare(index);
  }
  bool measures() const override { return true; }

  void measure(const T* weight, const GradientSource<T>& source, int phase) override {
    if (phase == 0) {
      const double norm = this->norm(source);
      scale_ = norm > limit_ ? static_cast<T>(limit_ / norm) : T(1);
      if (std::isnan(norm)) scale_ = static_cast<T>(norm);
    }
    BoundTransform<T>::measure(weight, source, phase);
  }

 protected:
  const T* transform(const T* gradient, std::int64_t n, T* scratch) const override {
    if (scale_ == 1) return gradient;
    for (std::int64_t i = 0; i < n; ++i) scratch[i] = scale_ * gradient[i];
    return scratch;
  }

 private:
  /// One sum a block, added in order: the same for every number of threads.
  double norm(const GradientSource<T>& source) {
    for_blocks<T>(size_, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const T* gradient = source.read(begin, end, scratch);
      double sum = 0;
      for_runs(source.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        sum += sum_of_squares(gradient + (from - begin), to - from);
      });
      sums_[static_cast<std::size_t>(begin / kBlock)] = sum;
    });
    double sum = 0;
    for (const double s : sums_) sum += s;
    return std::sqrt(sum);
  }

  static double sum_of_squares(const T* x, std::int64_t n) {
    constexpr int kLanes = 8;  // partial sums that the compiler can keep in vectors
    double lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) {
        const auto v = static_cast<double>(x[i + j]);
        lanes[j] += v * v;
      }
    }
    double sum = 0;
    for (; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    for (const double lane : lanes) sum += lane;
    return sum;
  }

  const Schedule& max_;
  double limit_ = 0;
  std::int64_t size_;
  std::vector<double> sums_;
  T scale_ = 1;
};

}  // namespace tandem
