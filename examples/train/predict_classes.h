// What --predict of a classifier says: classes and probabilities of picture files. Not here: what else programs on
// pictures share (images.h).
#pragma once

#include <functional>
#include <string>

#include <tandem/core/array.h>
#include <tandem/nn/model_file.h>

#include "command_line.h"

namespace tandem::train {

/// A file as the model of this description wants it: f32 [1, C, H, W].
using ReadPicture = std::function<Array(const std::string& file, const nn::ModelInfo& info)>;

/// A line a file, with its three likeliest classes and their probabilities, or with --json all classes; by the model of
/// --init or those of --evaluate. Returns the exit code. Throws Error where a model file does not name its classes.
int predict_classes(const Options& options, const ReadPicture& read);

}  // namespace tandem::train
