// What a Loader asks of its options and of pictures. Private to data.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tandem/data/image_source.h>
#include <tandem/data/loader.h>

namespace tandem {

/// The options, for pictures of this source. Throws Error when one is out of range or there is no full batch to make.
LoaderOptions checked(const ImageSource& source, LoaderOptions options);

/// Of `count` images in floats. Throws Error where no memory could hold them.
std::size_t image_bytes(std::int64_t count, const PictureFormat& format);

/// Of the first picture, which is read for it.
PictureFormat format_of_first(const ImageSource& source);

/// Throws Error where pictures of `format` do not become what pictures of `first` become.
void check_format(const Transform& transform, const PictureFormat& first, const PictureFormat& format);

}  // namespace tandem
