// sam: sharpness-aware minimization (Foret, Kleiner, Mobahi, Neyshabur 2021, "Sharpness-aware minimization for
// efficiently improving generalization", algorithm 1): the inner rule gets the gradient of the same batch at the worst
// weights nearby instead of the one at the weights:
//
//   e = rho g(w) / |g(w)|         |.| the 2-norm over all groups that have it
//   inner rule on g(w + e)
//
// A parameter without a gradient stays where it is in both evaluations. Read next: sam.cpp; engine/look.h, how a level
// asks for gradients elsewhere.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

struct SamOptions {
  Schedule rho = 0.05;  ///< the distance of the second evaluation; 0 is the inner rule on the same gradient
  void fields(Fields& f) { f("rho", rho, kNotNegative, kAlways); }
};

/// Needs step(closure), which is called twice a step. sam(clip_norm(...)) clips g(w + e); clip_norm(sam(...)) clips
/// what e is made of, which changes nothing. Example: sam(momentum({.lr = 0.1}), {.rho = 0.05}).
Rule sam(const Rule& inner, const SamOptions& options = {});

}  // namespace tandem
