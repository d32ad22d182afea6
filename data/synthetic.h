// The data set that comes with Tandem: CIFAR-like pictures made by a seeded generator, for machines without CIFAR-10.
// Ten classes of shaded solids on textured ground, with clutter, occlusion, and changes of scale, pose, colour and
// light. A linear model stays far below a convolutional one on it; see README.md for figures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/data/dataset.h>

namespace tandem {

struct SyntheticOptions {
  std::uint64_t seed = 0;
  std::int64_t train = 20000;  ///< images of the training set
  std::int64_t test = 4000;    ///< images of the test set
};

/// Pictures 3x32x32, equally many of each class in every ten. Image i depends on (seed, split, i) alone: a smaller set
/// is the beginning of a larger one. Throws Error when a size is not positive.
TrainTest synthetic(const SyntheticOptions& options = {});

/// The same ten solids for the smallest networks: pictures 3x16x16 of one solid each, in the middle on an even ground.
/// Default: 6,000 images to train on and 1,000 to test.
TrainTest solids(const SyntheticOptions& options = {.train = 6000, .test = 1000});

/// ball, box, pyramid, ring, cross, star, moon, heart, rod, dumbbell.
const std::vector<std::string>& synthetic_classes();

}  // namespace tandem
