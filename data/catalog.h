// The data sets that a program may name on its command line. Adding one that comes with Tandem: a row in catalog.cpp;
// one of your own: register_dataset.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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

/// Opens a data set from options; throws Error, or UsageError for what a command line got wrong.
using DatasetOpener = std::function<TrainTest(const OpenOptions& options)>;

/// Makes `name` known to open_dataset. Throws Error when it is taken, empty, or there is no opener.
///   register_dataset("digits", [](const OpenOptions& o) { return read_digits(o.folder); });
void register_dataset(const std::string& name, DatasetOpener opener);

/// The set called `name`: cifar10, cifar100, folder (image_folder.h), synthetic, or one that was registered. Throws
/// UsageError for another name, with the nearest one, and for a folder that is not given; Error when what an opener
/// gives is not valid.
TrainTest open_dataset(std::string_view name, const OpenOptions& options = {});

/// The names that open_dataset knows, in the order of their rows.
std::vector<std::string> dataset_names();

}  // namespace tandem
