// Named Arrays in a file that others read too: the safetensors format (Hugging Face;
// github.com/huggingface/safetensors).
//
//   | u64: bytes of the header | header: JSON {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {...}} |
//   data |
//
// Data are little-endian and row major in the logical order of dims, whatever the memory layout was, so that a weight
// means the same in PyTorch. Not here: matching names to models (nn), checkpoints.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <tandem/core/array.h>

namespace tandem {

struct NamedArray {
  std::string name;
  Array array;
};

using NamedArrays = std::vector<NamedArray>;
using Metadata = std::map<std::string, std::string>;

struct Safetensors {
  NamedArrays arrays;  ///< in the order of the header
  Metadata metadata;

  /// The Array of this name, or nullptr.
  const Array* find(std::string_view name) const;
};

/// Writes the file atomically. The header keeps the order of `arrays`; the data stand with the widest dtypes first, so
/// that each begins at a multiple of its element size. The same input gives the same bytes. Throws Error when a name is
/// given twice or is reserved ("__metadata__"), when a name or metadata are not UTF-8 (ask is_utf8 of utf8.h before
/// training), when an Array is undefined, or when the file cannot be written.
void save_safetensors(const std::filesystem::path& path, const NamedArrays& arrays, const Metadata& metadata = {});

/// Reads a file of dtypes F32, F64, F16, BF16, I64, I32, I8, U8 and BOOL (a byte of 0 or 1). Nothing in the file is
/// trusted: lengths, offsets, shapes, names and dtypes are checked before memory is asked for, and the Arrays together
/// take no more than the file's size. Throws Error naming the file, the entry and the reason.
Safetensors load_safetensors(const std::filesystem::path& path);

}  // namespace tandem
