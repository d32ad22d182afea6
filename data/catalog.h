// The data sets that a program may name on its command line. Adding one: a row in catalog.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/data/dataset.h>

namespace tandem {

struct OpenOptions {
  std::filesystem::path folder = {};  ///< where it lies; default: its own folder in data_home()
  std::uint64_t seed = 0;             ///< of sets that are made, and of the split of a folder that holds one set
  Size2 size = 0;                     ///< of the pictures of a folder (ImageFolderOptions); 0: as they are
  bool skip_bad_files = false;        ///< of a folder: BadFiles::skip
};

/// The set called `name`: cifar10, cifar100, folder (image_folder.h) or synthetic. Throws UsageError for another name,
/// with the nearest one, and for a folder that is not given.
TrainTest open_dataset(std::string_view name, const OpenOptions& options = {});

/// The names that open_dataset knows.
const std::vector<std::string>& dataset_names();

}  // namespace tandem
