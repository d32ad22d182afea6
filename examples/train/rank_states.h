// The states of all ranks in one checkpoint, which rank 0 writes and reads. What a rank has otherwise than rank 0
// stands under its number: "rank1/optimizer/groups/0/inner/exp_avg/conv1.weight"; all else once.
// Not here: what a state is (checkpoint.h).
#pragma once

#include <tandem/core/io/checkpoint.h>
#include <tandem/core/workers/workers.h>

namespace tandem::train {

/// The states of all, on rank 0; nothing on the others. Called by all, each with its own.
NamedArrays gather_states(const NamedArrays& mine, Metadata& metadata, Workers& workers);

/// This rank's, of what gather_states gave rank 0. The metadata of rank 0 come to all.
NamedArrays scatter_states(const NamedArrays& all, Metadata& metadata, Workers& workers);

}  // namespace tandem::train
