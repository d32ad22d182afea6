// Settings: what the command line of landscape asks for, checked. Not here: what is made of it (make_survey.h, walk.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "surface.h"

namespace tandem::landscape {

struct Settings {
  // What is drawn: one of these.
  std::vector<std::string> through;  ///< two or three model files, checkpoints or folders of runs
  std::string around;                ///< one of them
  std::string pca;                   ///< a run
  std::string cycle;                 ///< RUN@STEP
  std::vector<std::string> surfaces;

  std::string directions = "random";  ///< with around: random or hessian
  bool is_line = false;               ///< with around: along the first direction alone
  double reach = 1;                   ///< with around: of the grid, in lengths of the directions
  double margin = 0.4;                ///< else: round the points, as a part of what they span
  std::int64_t grid = 25;             ///< nodes a side
  std::string part = "test";
  std::int64_t images = 1000, reestimate = 0, hessian_images = 512, iterations = 20;
  std::int64_t path_points = 30;  ///< with pca
  std::int64_t updates = 60;      ///< with cycle
  bool is_without_inner = false;  ///< with cycle: the inner rule is not continued
  std::string dataset, data, program;

  // Walks on surfaces.
  std::vector<std::string> optimizers;
  std::int64_t steps = 100;
  std::vector<double> start;  ///< empty: the surface's own

  std::int64_t jobs = 0;  ///< 0: as many as there are processors
  std::uint64_t seed = 0;
  std::filesystem::path out, resume;
  bool is_overwriting = false, is_quiet = false;
  std::string executable, command;
};

/// False when --help was asked for and has been printed. Throws UsageError.
bool parse_settings(int argc, char** argv, Settings& settings);

}  // namespace tandem::landscape
