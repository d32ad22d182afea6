// Grids of a sweep: the optimizers of a comparison that are equal but for the arguments that a spec had in braces,
// arranged by these. One argument makes a line, two a heat map, more a heat map for every choice of the rest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "comparison.h"

namespace tandem::report {

struct Grid {
  std::string name;             ///< the rule, with the arguments in which it differs from other grids
  std::vector<SweepAxis> axes;  ///< at least one, each with at least two values; numbers ascending
  /// The contender at each place, row-major over the axes, the last fastest; none where it was not run.
  std::vector<std::optional<std::size_t>> places;
};

std::vector<Grid> grids_of(const Comparison& comparison);

/// What stands at a place: the values of a metric over the seeds that did not diverge, how many did, and of how many.
struct Place {
  MeanAndDeviation values;  ///< a mean of NaN where nothing was measured
  std::size_t diverged = 0, runs = 0;
};
Place place_of(const Comparison& comparison, const std::optional<std::size_t>& contender, const std::string& metric);

/// "k=5, state=reset": the axes before the last two, at the values that belong to this number; empty without such.
std::string further_axes(const Grid& grid, std::size_t number);

}  // namespace tandem::report
