// ImageFileSource: a folder of image files that are read when a batch wants them, each as large as it is: for sets that
// do not fit into memory, as ImageNet's 1,281,167 pictures. The transform behind it brings them to one size:
//
//   const TrainTestFiles set = list_image_folder("imagenet");
//   Loader batches(set.train, {.batch = 256, .transform = random_resized_crop({.size = 224}) | random_flip() |
//                                                         normalize(imagenet_statistics())});
//
// Folders are as image_folder.h says, which reads them into memory instead.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <tandem/data/image_folder.h>
#include <tandem/data/image_source.h>

namespace tandem {

struct ImageFileSourceOptions {
  /// refuse: a file that cannot be read is an Error of the batch that wants it. skip: all files are read once before
  /// the first batch, and those that cannot be are left out, with one warning.
  BadFiles bad_files = BadFiles::refuse;
  double test_fraction = 0.1;  ///< of each class, rounded, chosen by the seed, where the folder holds one set
  std::uint64_t seed = 0;      ///< of that split
  int workers = 0;             ///< threads that look for bad files; 0: as many as threads()
  ImageLimits limits = {};     ///< of each file
};

/// The files of one set.
class ImageFileSource : public ImageSource {
 public:
  struct File {
    std::filesystem::path path;
    std::int64_t label = 0;
  };
  ImageFileSource(std::string name, std::vector<File> files, std::vector<std::string> classes,
                  const ImageLimits& limits = {});

  const std::string& name() const override { return name_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  std::int64_t label(std::int64_t index) const override { return files_[static_cast<std::size_t>(index)].label; }
  /// Pixels [height, width, 3] of the file. Throws Error as read_image does.
  ImageView read(std::int64_t index, std::vector<std::uint8_t>& bytes) const override;

  const std::vector<File>& files() const { return files_; }
  const std::vector<std::string>& classes() const { return classes_; }

 private:
  std::string name_;
  std::vector<File> files_;
  std::vector<std::string> classes_;
  ImageLimits limits_;
};

struct TrainTestFiles {
  std::shared_ptr<const ImageFileSource> train, test;
};

/// The training and test set of a folder; nothing is read but names, and with BadFiles::skip every file once. Throws
/// Error: no such folder, no images, images beside class folders, an empty class, a class of the test set that the
/// training set has not, a split that leaves no picture, no file that can be read.
TrainTestFiles list_image_folder(const std::filesystem::path& folder, const ImageFileSourceOptions& options = {});

/// 64 bits that change with the name, label or length of any file; the bytes inside are not read.
std::uint64_t checksum(const ImageFileSource& files);

/// What pictures are normalized by where models of ImageNet are concerned, PyTorch's included: mean 0.485, 0.456,
/// 0.406, deviation 0.229, 0.224, 0.225.
ChannelStatistics imagenet_statistics();

}  // namespace tandem
