// The models that a comparison left, for --evaluate and --predict: those that its manifest lists and no others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tandem/nn/model_file.h>
#include <tandem/report/metrics.h>

#include "command_line.h"

namespace tandem::train {

struct SavedModel {
  std::string run;             ///< its name
  std::filesystem::path path;  ///< of model.safetensors
};

/// Of a run folder, all whose runs came to their end; of the folder of a run, that one. Throws Error when there is
/// none.
std::vector<SavedModel> saved_models(const std::filesystem::path& folder);

/// What --evaluate and --predict apply: the model of --init, or those of --evaluate.
std::vector<SavedModel> models_to_use(const Options& options);

/// Of the data that a model was trained on, as its file says it.
std::optional<std::uint64_t> training_checksum(const nn::ModelInfo& info);

/// A line a model, or with --json one object {"run": {metric: value}}. Returns kExitDone.
int print_evaluations(const Options& options, const std::vector<std::pair<std::string, report::Metrics>>& evaluations);

}  // namespace tandem::train
