// Picture: what a person should see of the data or of a trained model, and how it lies in a run folder: one PNG file
// each, and pictures.json with their order and captions. Not here: how pictures are made (data/), how they are shown
// (report_comparison.h).
//
//   OUT/pictures/reconstructions-input.png    of the data: Task::input_pictures
//   OUT/RUN/pictures/reconstructions.png      of a run: Task::pictures
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tandem::examples {

/// A grid or a row of images. Pictures of one figure are shown under each other, those of the data first, then the
/// runs': for reconstructions a row of inputs, and below it a row of outputs for each optimizer.
struct Picture {
  std::string figure;   ///< "reconstructions": letters, digits, '-' and '_'
  std::string caption;  ///< of the figure: a sentence; the first that is not empty counts
  std::string row;      ///< what stands beside it: "input"; empty: the name of the run's optimizer
  std::string png;      ///< the bytes of a PNG file
};

/// Pixels of a PNG file, from its header.
struct PictureSize {
  std::int64_t width = 0, height = 0;
};
/// Throws Error naming `where` when the bytes do not begin like a PNG file.
PictureSize png_size(const std::string& png, const std::string& where);

/// Writes `folder`/pictures; nothing when there are none. Throws Error when two pictures have the same figure and row,
/// a name is empty or has other characters, or the bytes are no PNG file.
void write_pictures(const std::filesystem::path& folder, const std::vector<Picture>& pictures);

/// The pictures of `folder`/pictures in their order; none when that is not there. Throws Error naming the file that is
/// missing or damaged.
std::vector<Picture> read_pictures(const std::filesystem::path& folder);

/// Removes what write_pictures wrote.
void remove_pictures(const std::filesystem::path& folder);

}  // namespace tandem::examples
