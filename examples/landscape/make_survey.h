// A survey from settings: which plane, which paths, which nodes; and the weights that are needed to measure it.
#pragma once

#include "plane_file.h"
#include "settings.h"
#include "survey.h"

namespace tandem::landscape {

struct Made {
  Survey survey;
  PlaneFile file;
};

/// Reads models, repeats runs, finds directions. Throws Error, or UsageError for what the command line has wrong.
Made make_survey(const Settings& settings);

/// The nodes of both axes: what the drawn points of all paths span with room round it, alike on both axes.
void span_grid(Survey& survey, double margin, std::int64_t nodes);

}  // namespace tandem::landscape
