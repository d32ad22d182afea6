// What programs on pictures share: the data set that a command line means, with what stands in for it; its description;
// pictures of the test set to look at. Not here: reading data sets (data/), loops (the programs).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <tandem/core/array.h>
#include <tandem/data/dataset.h>
#include <tandem/data/transform.h>
#include <tandem/nn/model_file.h>

#include "command_line.h"
#include "run_folder.h"

namespace tandem::train {

/// Pictures as a program trains, watches and measures them.
struct ImageData {
  Dataset train;
  Dataset watched;  ///< what is measured while training: held out with --validation, else the test set
  Dataset test;
  std::string dataset, description;  ///< the name; the first line of what is printed
  bool has_validation = false;

  /// "validation" or "test": what names of metrics begin with.
  std::string part() const { return has_validation ? "validation" : "test"; }
};

/// For CommandLine::complete: --data names a folder of pictures where it holds no CIFAR files; without it `preferred`
/// (cifar10, cifar100) where it is found, else the pictures that come with Tandem.
void choose_image_dataset(Options& options, const std::string& preferred);

/// Reads what choose_image_dataset chose. Throws Error naming what is missing.
ImageData open_images(const Options& options);

/// The description of pictures that the fields of Experiment ask for.
Experiment image_experiment(const ImageData& data, const std::string& model, const std::string& metric,
                            std::int64_t batch);

/// What the file of a model of such pictures says of them: names of classes, normalisation and size.
nn::ModelInfo describe_images(const Dataset& dataset);

/// What --evaluate of a program on pictures does: `measure` of every saved model of the run folder, on data.test, which
/// is all pictures where the folder is not that of training. Prints the results; returns the exit code.
using MeasureImages = std::function<Metrics(nn::Module& model, const nn::ModelInfo& info, const ImageData& data,
                                            const std::string& model_file)>;
int evaluate_images(const CommandLine& line, const MeasureImages& measure);

/// A picture file as a model wants it: its largest window of the right proportions, resized: f32 [1, C, H, W].
Array read_picture(const std::string& file, const nn::ModelInfo& info, const Transform& transform);

/// `count` pictures spread over a set, as `transform` gives them: f32 [count, C, H, W].
Array sample_images(const Dataset& dataset, std::int64_t count, const Transform& transform);

}  // namespace tandem::train
