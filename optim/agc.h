// agc: adaptive gradient clipping (Brock, De, Smith, Simonyan 2021, "High-performance large-scale image recognition
// without normalization", equation 3). For every output unit i (a row of a matrix, a filter of a convolution; a
// parameter of rank 0 or 1 is one unit):
//
//   g_i <- clip max(|w_i|, eps) / |g_i| g_i       where |g_i| > clip max(|w_i|, eps)
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct AgcOptions {
  Schedule clip = 0.01;  ///< the largest ratio of the norms of gradient and weights
  Schedule eps = 1e-3;   ///< the least norm of weights that is counted: units that start at zero can move

  void fields(Fields& f) {
    f("clip", clip, {.is_low_open = true}, kAlways);
    f("eps", eps, {.is_low_open = true});
  }
};

/// The paper leaves the last layer out: groups() does (groups.h). Example: agc(momentum({.lr = 0.1}), {.clip = 0.01}).
Rule agc(const Rule& inner, const AgcOptions& options = {});

}  // namespace tandem
