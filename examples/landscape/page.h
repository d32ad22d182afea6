// report.html of landscape, from what was found, and the figures that its parts share. Not here: how figures are drawn
// (examples/report).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "survey.h"
#include "walk.h"

namespace tandem::landscape {

using Json = nlohmann::ordered_json;

/// The page of a survey.
std::string survey_page(const Survey& survey);

/// What a survey says in a few lines, for the terminal.
std::string survey_text(const Survey& survey);

/// Walks on a surface.
struct SurfaceWalks {
  const Surface* surface = nullptr;
  Spot start;
  std::vector<Walk> walks;
};
std::string walk_page(const std::vector<SurfaceWalks>& all, const std::string& command);
/// A table a surface, for the terminal.
std::string walk_text(const std::vector<SurfaceWalks>& all);

/// A figure of kind "contours" without paths. `cells` row by row from the least y.
Json contours_of(const std::string& title, const std::string& caption, const std::string& measure,
                 const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& cells);
/// Values of levels between which bands have a colour: about `count` between the smallest and a high quantile, closer
/// where values are small when `is_curved`.
std::vector<double> levels_of(const std::vector<double>& values, std::size_t count, bool is_curved);

/// Numbers as a page has them: infinite ones and NaN as report::to_json says, others with every digit.
Json exact(double value);
Json exact(const std::vector<double>& values);

}  // namespace tandem::landscape
