// Checkpoint: everything a training run needs to go on bit for bit, in one safetensors file that other tools read too.
//   model/...      parameters and buffers        random/...   positions of generators
//   optimizer/...  the state tree                metadata     step, loader position, specs, checksum of the data
// Not here: what a program puts into it (examples/common), how modules and optimizers list themselves.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <tandem/core/safetensors.h>
#include <tandem/core/tree.h>

namespace tandem {

struct Checkpoint {
  NamedArrays arrays;  ///< names with the prefixes above
  Metadata metadata;

  /// The value of a key of the metadata. Throws Error when it is missing.
  const std::string& text(const std::string& key) const;
  /// The same as a whole number. Throws Error when it is none.
  std::int64_t number(const std::string& key) const;
};

/// "checkpoint.previous.safetensors" for "checkpoint.safetensors".
std::filesystem::path previous_checkpoint(const std::filesystem::path& path);

/// Writes the file under a temporary name, syncs it, keeps the one that stood there as previous_checkpoint(path), and
/// renames; at every moment `path` is a whole checkpoint, the old or the new. Throws Error, leaving both as they were,
/// when an Array is not finite (naming the entry) or the disk is full.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads a file that save_checkpoint wrote. Throws Error naming file and reason when it is truncated, damaged (the
/// checksum does not fit) or not a checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace tandem
