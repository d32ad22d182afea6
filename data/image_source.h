// ImageSource: pictures that are read when a batch wants them, each of a size of its own: what a Loader takes where a
// Dataset would not fit into memory. One of your own (an archive, a database): derive, and give it to a Loader.
// Here: the door, and a Dataset behind it. Read next: image_file_source.h, folders of files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/data/dataset.h>
#include <tandem/data/picture.h>

namespace tandem {

/// A picture in bytes [height, width, channels], valid as long as what it was read into.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  PictureFormat format;
};

/// N labelled pictures, which may be of different sizes. Every function is called from several threads at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// "scenes64 train", for errors.
  virtual const std::string& name() const = 0;
  virtual std::int64_t size() const = 0;
  /// In [0, number of classes).
  virtual std::int64_t label(std::int64_t index) const = 0;
  /// The picture; `bytes` is working memory of the caller's, in which it may lie. Throws Error naming what cannot be
  /// read.
  virtual ImageView read(std::int64_t index, std::vector<std::uint8_t>& bytes) const = 0;
};

/// The pictures of a Dataset, which is held in memory. Throws Error when it is not valid.
std::shared_ptr<const ImageSource> source_of(Dataset dataset);

}  // namespace tandem
