// Clipping at work: a transform of the gradient, block by block, into scratch memory. Private to optim/
// (combinators.cpp).
#pragma once

#include <cmath>

#include <tandem/optim/leaf.h>
#include <tandem/optim/watch.h>

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
    const std::vector<Interval>& runs() const override { return source_.runs(); }

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
        frame_(frame),
        sums_(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock)) {}
  void prepare(std::int64_t index) override {
    limit_ = max_.at(index);
    this->inner().prepare(index);
  }
  bool measures() const override { return true; }
  void join_report(std::vector<const char*>& loops) override {
    is_reported_ = true;
    this->inner().join_report(loops);
  }

  void measure(const T* weight, const GradientSource<T>& source, int phase) override {
    if (phase == 0) {
      const double norm = measured_norm(source);
      scale_ = norm > limit_ ? static_cast<T>(limit_ / norm) : T(1);
      if (std::isnan(norm)) scale_ = static_cast<T>(norm);
      if (frame_.watch != nullptr && is_reported_) frame_.watch->clip_factor *= static_cast<double>(scale_);
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
  double measured_norm(const GradientSource<T>& source) {
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const T* gradient = source.read(begin, end, scratch);
      Squares sum;
      for_runs(source.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        sum.add(detail::squares_pass<T>(gradient + (from - begin), to - from));
      });
      sums_[static_cast<std::size_t>(begin / kBlock)] = sum;
    });
    return norm(sums_);
  }

  const Schedule& max_;
  double limit_ = 0;
  const Frame& frame_;
  std::vector<Squares> sums_;
  T scale_ = 1;
  bool is_reported_ = false;
};

}  // namespace tandem
