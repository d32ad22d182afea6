// step_quality: where a step ends, against the minimum of a parabola along it: the "alpha" of Cockpit (arXiv
// 2102.06604, section 2.2 and appendix C.1). Not to be confused with Lookahead's alpha.
#pragma once

namespace tandem {

/// A function on the line from the weights before a step (t = 0) to those after it (t = 1), as seen at one end.
struct LineEnd {
  double loss = 0, slope = 0;                    ///< f(t), f'(t) = gradient . (w' - w)
  double loss_variance = 0, slope_variance = 0;  ///< 0: exact
};

/// f(t) = c + b t + a t^2 is fitted to both losses and both slopes, each weighted by one over its variance; its minimum
/// lies at t* = -b / 2a. alpha = 1 / t* - 1: -1 no step, 0 a step to the minimum, 1 to the other side at the height of
/// the start, > 1 above it, below -1 uphill. -1 where the parabola is not convex: a minimum is not in sight. NaN where
/// a number is not finite.
double step_quality(const LineEnd& before, const LineEnd& after);

}  // namespace tandem
