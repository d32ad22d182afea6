// Another size for pictures in bytes: resize and crop, as they are read. Not here: what differs from epoch to epoch
// (random_crop of transform.h), upsampling inside a network (autograd/ops.h).
#pragma once

#include <tandem/core/array.h>

namespace tandem {

/// Images u8 [N, C, H, W], C <= 64, at another size, channels-last: bilinear where they grow, and where they shrink the
/// same triangle widened to the whole area that a pixel stands for, so that nothing aliases (torchvision's
/// antialias = true). Pixels beyond the border are those of the border. Throws Error when a size is not positive.
Array resize_images(const Array& images, Size2 size);

/// The window in the middle, a view; where the margins cannot be equal, the upper and left one is the smaller. Throws
/// Error when the images are smaller than the window.
Array centre_crop(const Array& images, Size2 size);

/// The largest window in the middle that has the proportions of `size`, resized to it.
Array cover(const Array& images, Size2 size);

}  // namespace tandem
