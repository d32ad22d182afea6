// Survey: what is measured, where, and what was found: landscape.json of a result. Its tasks have numbers, so that
// several processes share them and an interrupted one goes on: first the points of paths, path by path, then the nodes
// of the grid, row by row from the least y. Not here: measuring (measure.h), the weights (plane_file.h), the page.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <tandem/train/result_folder.h>

#include "plane.h"

namespace tandem::landscape {

inline const train::ResultKind kResult = {"landscape", "landscape 1", "landscape.json"};

/// Mean loss and share of right answers; NaN: not measured yet. A loss may be infinite.
struct Measured {
  double loss = std::numeric_limits<double>::quiet_NaN(), accuracy = std::numeric_limits<double>::quiet_NaN();
};

struct PathPoint {
  std::string name;        ///< "step 57", "step 57, before the pull"
  std::int64_t step = -1;  ///< of the run; -1: of none
  bool is_before_pull = false;
  Place place;
  Measured measured;
};

struct Path {
  std::string name;
  std::vector<PathPoint> points;
  std::size_t drawn = 0;  ///< the first so many are shown on the plane
  Shares shares;          ///< of the variance of the drawn points
};

struct Mark {
  std::string name, shape;  ///< shape: star, cross, ring
  double x = 0, y = 0;
};

struct Survey {
  std::string kind;                   ///< through, around, pca, cycle
  std::string title, about, command;  ///< about: a paragraph for the page
  std::string model;                  ///< a model file: class, options, normalisation
  std::string dataset, data;          ///< data: a folder; empty: the default one
  std::string part, checksum;         ///< "test" or "train"; of what is measured on, hexadecimal
  std::int64_t images = 1000;         ///< of the part, spread over it
  std::int64_t reestimate = 0;  ///< batches that running statistics are gathered from at each point; 0: as they were
  std::string statistics;       ///< what that means here, a sentence; empty: a model without running statistics
  std::vector<double> x, y;     ///< nodes of the grid; a line has one y
  std::string x_name, y_name;
  bool is_square = true;
  std::vector<Path> paths;
  std::vector<Mark> marks;
  std::vector<std::string> findings;  ///< sentences about curvature and the like, known before measuring
  std::vector<Measured> grid;         ///< of the nodes
  double seconds = 0;                 ///< of measuring, all calls

  bool is_line() const { return y.size() == 1; }
  std::size_t path_points() const;
  std::size_t tasks() const { return path_points() + x.size() * y.size(); }
  /// Where the result of a task belongs.
  Measured& result(std::size_t task);
  /// Tasks without a result.
  std::vector<std::size_t> open_tasks() const;
};

void write_survey(const std::filesystem::path& folder, const Survey& survey);
/// Throws Error naming the file when it is not a survey.
Survey read_survey(const std::filesystem::path& folder);

/// Results that processes left in measured*.csv are put into the survey and into one file, whose torn last lines are
/// dropped: measured.csv. The others go.
void gather_results(const std::filesystem::path& folder, Survey& survey);
/// Removes what an earlier result left in the folder, by the names that this program gives.
void clear_folder(const std::filesystem::path& folder);

/// The whole lines of one file of results, where it is there.
void take_results(const std::filesystem::path& file, Survey& survey);
/// "TASK,LOSS,ACCURACY", with the shortest texts that read back the same.
std::string result_line(std::size_t task, const Measured& measured);

}  // namespace tandem::landscape
