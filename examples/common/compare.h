// What a program does once its Task stands: train it with every optimizer and seed of the command line, or evaluate the
// models that such a comparison left.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <tandem/core/safetensors.h>

#include "options.h"
#include "task.h"

namespace tandem::examples {

/// Every optimizer with every seed: same initial weights and same batches for equal seeds; with --resume, those that
/// are not finished, bit for bit as if nothing had interrupted them. Prints what is trained, the progress, the table
/// and what was written. Throws Interrupted after Ctrl-C. Returns the exit code. Throws UsageError for a spec that
/// cannot be read, Error for everything else, before the first step where possible.
int compare(Task& task, const Options& options);

/// A model of a run folder.
struct SavedModel {
  std::filesystem::path path;
  std::string run;
  Safetensors content;
};

/// The models below a run folder, or the one in the folder of a run. Throws Error when there is none.
std::vector<SavedModel> load_saved_models(const std::filesystem::path& folder);

/// What the file says of itself under `key`; empty when it says nothing.
std::string metadata_value(const SavedModel& model, const std::string& key);

/// Task::data_checksum() of the data that the model was trained on; nothing when the file does not say it.
std::optional<std::uint64_t> saved_checksum(const SavedModel& model);

/// Gives a model these weights. Throws Error naming the file when they are not of the model called `name`.
void load_model(nn::Module& model, const SavedModel& saved, const std::string& name);

/// Data set and model become those that the saved models were trained with; a data set that was given stays.
void adopt_saved(Options& options, const std::vector<SavedModel>& models);

/// Evaluates each model and prints a table; writes nothing.
int evaluate_saved(Task& task, const Options& options, const std::vector<SavedModel>& models);

}  // namespace tandem::examples
