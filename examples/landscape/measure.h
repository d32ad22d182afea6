// Measuring: loss and accuracy of a classifier at given weights, on pictures that are spread over a set; and the tasks
// of a survey shared between processes. Not here: which points (survey.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/data/loader.h>
#include <tandem/nn/model_file.h>

#include "survey.h"
#include "weights.h"

namespace tandem::landscape {

/// `count` pictures spread evenly over a set (all where it has fewer), normalised, in batches of at most `batch`.
std::vector<Batch> spread_batches(const Dataset& dataset, std::int64_t count, std::int64_t batch);

/// The model of a survey with its pictures.
class Meter {
 public:
  /// Reads the model file and the data; fills survey.dataset and checksum where they are empty. Throws Error when the
  /// model is no classifier of the data's classes, and when the data are not those of the survey's checksum.
  explicit Meter(Survey& survey);

  nn::Module& model() { return *model_; }
  /// Of the training set, for directions of curvature.
  std::vector<Batch> training_batches(std::int64_t count, std::int64_t batch) const;
  /// At these weights, in evaluation behaviour; with --reestimate the buffers are gathered anew.
  Measured measure(std::span<const float> values, const NamedArrays& buffers);

 private:
  std::shared_ptr<nn::Module> model_;
  Dataset train_;
  std::vector<Batch> pictures_, gathered_;  // what is measured on; what statistics are gathered from
};

/// Measures every `parts`-th open task from number `part` on, and writes each result at once to measured-PART.csv.
/// False when a signal ended it before. `is_told`: part 0 prints how far all are.
bool measure_part(const std::filesystem::path& folder, std::size_t part, std::size_t parts, bool is_told);

}  // namespace tandem::landscape
