// hold_out: a validation set, taken out of a training set: what is looked at while training, so that the test set is
// measured once. Not here: the test set of a folder (image_folder.h), texts (text_corpus.h).
#pragma once

#include <cstdint>

#include <tandem/data/dataset.h>

namespace tandem {

/// A training set in two.
struct HeldOut {
  Dataset train;     ///< what is left
  Dataset held_out;  ///< for validation
};

/// Holds n pictures out, chosen by the seed from all of them; both parts keep the order, and are copies. The statistics
/// of both are those of what is left for training: held-out pictures are seen as new ones would be. Throws Error when
/// n is not in [1, size - 1].
HeldOut hold_out(const Dataset& train, std::int64_t n, std::uint64_t seed = 0);

}  // namespace tandem
