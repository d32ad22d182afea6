// NumPy's files: one Array in .npy, several by name in .npz (a zip of .npy files), written and read.
// Read by numpy.load as they are. Not here: state dicts and checkpoints (safetensors.h).
#pragma once

#include <filesystem>

#include <tandem/core/array.h>
#include <tandem/core/io/safetensors.h>

namespace tandem {

/// Writes format version 1.0, row major in the logical order, atomically. NumPy has no bf16 (Error;
/// convert with to(DType::f32)).
void save_npy(const std::filesystem::path& path, const Array& x);

/// Reads versions 1.0 to 3.0 of little-endian f2, f4, f8, i1, i4, i8, u1 and b1, row or column major. Nothing in the
/// file is trusted: memory is asked for only when the file is long enough. Throws Error naming the file and the reason.
Array load_npy(const std::filesystem::path& path);

/// Writes a zip whose entries "name.npy" are stored as they are, as numpy.savez does. Throws Error when a name is given
/// twice or is not UTF-8, or the file would pass 65,535 arrays or 4 GiB.
void save_npz(const std::filesystem::path& path, const NamedArrays& arrays);

/// Reads what numpy.savez and numpy.savez_compressed write, of any size, in the order of the file, checking every
/// checksum. Throws
/// Error naming the file, the entry and the reason.
NamedArrays load_npz(const std::filesystem::path& path);

}  // namespace tandem
