// Surface: a function of two numbers on which walks can be seen, with where they begin, what is shown of it, its minima
// and the optimizers that show something there. Not here: the walks (walk.h), networks (plane.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem::landscape {

struct Spot {
  double x = 0, y = 0;
};

struct Surface {
  std::string name, formula;
  Spot start;
  Spot low, high;  ///< corners of what is shown
  std::vector<Spot> minima;
  std::vector<std::string> optimizers;  ///< specs: the inner rule too small, right and too large, Lookahead round it
  double (*value)(const double& x, const double& y);
  Tensor (*loss)(const Tensor& x, const Tensor& y);  ///< the same of scalars, with a gradient
};

/// bowl, ravine, rosenbrock, beale, himmelblau, saddle.
const std::vector<Surface>& surfaces();

/// Throws UsageError "--surface: ..." with the nearest name when there is none.
const Surface& find_surface(std::string_view name);

}  // namespace tandem::landscape
