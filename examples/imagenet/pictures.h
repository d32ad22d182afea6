// The pictures of imagenet: a folder of files that are read when a batch wants them, or a set in memory; what is made
// of them for training and for evaluation. Not here: files and crops themselves (data/).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/data/image_source.h>
#include <tandem/data/transform.h>
#include <tandem/nn/model_file.h>
#include <tandem/train/command_line.h>
#include <tandem/train/run_folder.h>

namespace imagenet {

struct Pictures {
  std::shared_ptr<const tandem::ImageSource> train, test;
  std::vector<std::string> classes;
  std::string dataset, description, checksum;
};

/// For CommandLine::complete: --data names a folder of pictures; without it the folder "imagenet" of the data sets
/// where it is there, else the pictures that come with Tandem.
void choose_pictures(tandem::train::Options& options);

/// Opens what choose_pictures chose; of a folder only the names of its files are read. Throws Error naming what is
/// missing.
Pictures open_pictures(const tandem::train::Options& options);

tandem::train::Experiment experiment_of(const Pictures& pictures, const tandem::train::Options& options);

/// A window of random area and proportions at a random place, brought to `crop`; flipped or not; normalized.
tandem::Transform training_crops(std::int64_t crop);

/// The shorter side brought to `side`, the window of `crop` in the middle, normalized.
tandem::Transform evaluation_crop(std::int64_t side, std::int64_t crop);
/// As the file of a model says that its pictures were made.
tandem::Transform evaluation_crop(const tandem::nn::ModelInfo& info);

/// What the file of a model says of its pictures.
tandem::nn::ModelInfo describe_pictures(const Pictures& pictures, std::int64_t side, std::int64_t crop);

/// A picture file for a model: f32 [1, 3, crop, crop].
tandem::Array read_picture(const std::string& file, const tandem::nn::ModelInfo& info);

}  // namespace imagenet
