// Checkpoint: everything a training run needs to go on bit for bit, in one safetensors file that other tools read too.
//   model/...      parameters and buffers        random/...   positions of generators
//   optimizer/...  the state tree                metadata     step, loader position, specs, checksum of the data
// Not here: what a program puts into it (examples/common), how modules and optimizers list themselves.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <tandem/core/io/safetensors.h>
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

/// Writes the file under a temporary name, syncs it, keeps the one that stood there as previous_checkpoint(path),
/// renames, and syncs the folder; at every moment `path` is a whole checkpoint, the old or the new. On a file system
/// without hard links the old one is renamed first: between the two renames only the previous one is there, for
/// load_checkpoint_or_previous to find. Where `path` is a link, both lie beside the file it leads to. Throws Error,
/// leaving both as they were, when an Array is not finite (naming the entry), a metadata value is not UTF-8 (is_utf8),
/// `path` is not a regular file, or the disk is full.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads a file that save_checkpoint wrote. Throws Error naming file and reason when it is truncated, damaged (the
/// checksum does not fit) or not a checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& path);

struct LoadedCheckpoint {
  Checkpoint checkpoint;
  std::string warning;  ///< empty, or what was wrong with `path` and what was read instead
};

/// load_checkpoint(path), or the one before it where that cannot be read: missing, truncated, damaged. Throws one Error
/// that names both, each with its reason, when neither can.
LoadedCheckpoint load_checkpoint_or_previous(const std::filesystem::path& path);

}  // namespace tandem
