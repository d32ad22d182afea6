// An .npy file as bytes in memory: what npy.cpp and npz.cpp share. Private to core.
#pragma once

#include <string>
#include <string_view>

#include <tandem/core/array.h>

namespace tandem {

/// The file's bytes. `where` begins the errors: "save_npz: file: entry".
std::string npy_bytes(const std::string& where, const Array& x);

/// The Array of a file's bytes; throws Error beginning with `where`.
Array npy_array(const std::string& where, std::string_view bytes);

}  // namespace tandem
