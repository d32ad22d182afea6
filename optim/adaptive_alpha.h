// Adaptive alpha: how far slow weights move, from two gradients of one batch (Zhang, Lucas, Hinton, Ba 2019, "Lookahead
// Optimizer", section 3.1, in secant form, without a Hessian). With d = fast - slow, g0 the gradient at the slow
// weights and gk at the fast ones:
//
//   alpha = d.g0 / (d.(g0 - gk))     clipped to [alpha_low, 1]
//
// the minimum along d of a quadratic. Where the loss does not curve upwards along d: 1 downhill, else alpha_low.
// Private to optim/ (bound_loop.h).
#pragma once

#include <cmath>

#include <tandem/optim/bound.h>

namespace tandem {

template <class T>
class AdaptiveAlpha {
 public:
  AdaptiveAlpha(const Schedule& low, const Frame& frame)
      : low_(low),
        frame_(frame),
        at_slow_(Array::zeros({frame.size}, frame.dtype)),
        sums_(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock)) {}

  double low(std::int64_t index) const { return low_.at(index); }

  /// Evaluates the closure twice. Partial sums a block, added in order: the same for every number of threads.
  double choose(T* slow, const T* fast, double low) {
    T* g0 = at_slow_.template data<T>();
    const T* now = static_cast<const T*>(frame_.evaluator->gradients(slow));
    std::fill(g0, g0 + frame_.size, T(0));
    for (const Interval& run : frame_.arrived) std::copy(now + run.begin, now + run.end, g0 + run.begin);
    const T* gk = static_cast<const T*>(frame_.evaluator->gradients(nullptr));
    for_blocks<T>(frame_.size, [&](std::int64_t block, std::int64_t block_end, T*) {
      Sums& sums = sums_[static_cast<std::size_t>(block / kBlock)];
      sums = {};
      for_runs(frame_.arrived, block, block_end, [&](std::int64_t begin, std::int64_t end, bool) {
        for (std::int64_t i = begin; i < end; ++i) {
          const double d = static_cast<double>(fast[i]) - static_cast<double>(slow[i]);
          sums.slope += d * static_cast<double>(g0[i]);
          sums.bend += d * (static_cast<double>(gk[i]) - static_cast<double>(g0[i]));
        }
      });
    });
    Sums all;
    for (const Sums& sums : sums_) all.slope += sums.slope, all.bend += sums.bend;
    const double alpha = all.bend > 0 ? -all.slope / all.bend : all.slope < 0 ? 1.0 : low;
    return std::isnan(alpha) ? low : std::clamp(alpha, low, 1.0);
  }

 private:
  struct Sums {
    double slope = 0, bend = 0;  // d.g0, d.(gk - g0)
  };
  const Schedule& low_;
  const Frame& frame_;
  Array at_slow_;
  std::vector<Sums> sums_;
};

}  // namespace tandem
