// A folder of image files as a data set: .jpg, .jpeg, .png and .bmp, in any mixture, classes by subfolder or none.
//
//   FOLDER/train/CLASS/**.png  FOLDER/val/CLASS/**.png   two sets ("val", else "test")
//   FOLDER/CLASS/**.png                                  one set, split by test_fraction
//   FOLDER/*.png                                         the same without classes: all are labelled 0, "all"
//
// Order: classes, then files, by the bytes of their names; so equal folders give equal sets. Hidden files are passed
// over; others that are not images by their name are left out with one warning.
#pragma once

#include <cstdint>
#include <filesystem>

#include <tandem/data/dataset.h>
#include <tandem/data/image.h>

namespace tandem {

/// How a picture of another size comes to that of the set.
enum class Fit {
  cover,    ///< the largest window of the size's proportions, resized
  stretch,  ///< all of it, resized, proportions lost
  crop,     ///< a window of the size, nothing resized; a smaller picture is a bad file
};

/// Where the window lies.
enum class Window { centre, random };

/// What happens at a file that cannot be read, is smaller than Fit::crop asks for, or has another size than the first
/// where no size is given.
enum class BadFiles {
  refuse,  ///< Error, naming the first of them
  skip,    ///< left out; one warning tells how many and why the first was
};

struct ImageFolderOptions {
  Size2 size = 0;  ///< of every picture, sides of at most kLongestSide; 0: that of the first, which all must have
  Fit fit = Fit::cover;
  Window window = Window::centre;
  BadFiles bad_files = BadFiles::refuse;
  double test_fraction = 0.1;  ///< of each class, rounded, chosen by the seed, where the folder holds one set
  std::uint64_t seed = 0;      ///< of the split and of random windows, which are keyed by (seed, place in the order)
  int workers = 0;             ///< threads that decode; 0: as many as threads()
  ImageLimits limits = {};     ///< of each file; every worker holds one at a time
};

/// The training and test set of a folder; the statistics are those of the training set. Throws Error: no such folder,
/// no images, images beside class folders, an empty class, a class of the test set that the training set has not, a
/// split that leaves no picture, a bad file (see BadFiles).
TrainTest read_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options = {});

/// All images of a folder as one set, its subfolders being classes; "train" and "val" mean nothing here.
Dataset read_images(const std::filesystem::path& folder, const ImageFolderOptions& options = {});

}  // namespace tandem
