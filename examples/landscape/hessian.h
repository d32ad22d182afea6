// Directions of curvature: the two eigenvectors of a model's Hessian with the largest eigenvalues. Not here: Lanczos'
// method (optim/study/curvature.h).
#pragma once

#include <string>
#include <vector>

#include <tandem/data/loader.h>
#include <tandem/nn/module.h>

#include "plane.h"

namespace tandem::landscape {

struct HessianPlane {
  Plane plane;
  double value[2] = {0, 0}, residual[2] = {0, 0};  ///< eigenvalues, and how far they may be off
  std::string finding;                             ///< a sentence with them
};

/// Of the mean loss of these batches, in evaluation behaviour; directions have length 1. Throws Error where a layer has
/// no second derivatives, and where Lanczos' method finds one direction only.
HessianPlane hessian_plane(nn::Module& model, const std::vector<Batch>& batches, int iterations, std::uint64_t seed);

}  // namespace tandem::landscape
