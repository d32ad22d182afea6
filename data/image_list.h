// The image files of a folder, in the order of a data set, before any of them is read. Private to data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tandem/data/image_folder.h>

namespace tandem {

struct ImageFile {
  std::filesystem::path path;
  std::int64_t label = 0;
};

struct ImageList {
  std::string name;  ///< of the set: "scenes64 train"
  std::vector<ImageFile> files;
  std::vector<std::string> classes;
};

/// The last part of a path, which names sets: "scenes64" of data/scenes64/.
std::string name_of(const std::filesystem::path& folder);

/// All images of a folder, classes being its subfolders. `name` is that of the set. Throws Error; see
/// read_image_folder.
ImageList list_images(const std::filesystem::path& folder, const std::string& name);

struct TrainTestLists {
  ImageList train, test;
};

/// The two sets that a folder holds, or that the seed makes of one.
TrainTestLists list_train_test(const std::filesystem::path& folder, const ImageFolderOptions& options);

}  // namespace tandem
