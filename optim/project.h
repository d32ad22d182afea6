// project_box, project_norm: weights that stay in a set. After each step the inner rule's weights go to the nearest
// point of it:
//
//   project_box    w <- clamp(w, -max, max)                    (weight clipping: Arjovsky et al. 2017, "Wasserstein
//   GAN") project_norm   w_i <- w_i min(1, max / |w_i|)              (max-norm: Srivastava et al. 2014, "Dropout",
//   section 5.1)
//
// for each output unit i of parameters of rank above 1 (a row of a matrix, a filter of a convolution). They belong
// inside of loops: the sets are convex, so that slow weights, which start in them, stay in them too; a program that
// writes into parameters after a step would begin all cycles anew instead.
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

/// max > 0 (UsageError). A parameter is projected in the steps in which it has a gradient.
/// Example: lookahead(project_box(rmsprop({.lr = 5e-5}), 0.01), {.k = 5}).
Rule project_box(const Rule& inner, const Schedule& max);

/// max > 0 (UsageError). Example: project_norm(momentum({.lr = 0.1}), 3).
Rule project_norm(const Rule& inner, const Schedule& max);

}  // namespace tandem
