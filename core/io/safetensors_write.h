// The bytes of a safetensors file into a file that is open, for whoever has more to do before it appears
// (checkpoint.cpp). Private to core; the format stands in safetensors.h.
#pragma once

#include <string>

#include <tandem/core/io/file.h>
#include <tandem/core/io/safetensors.h>

namespace tandem {

/// Checks and writes everything, and does not commit. `where` stands before errors. Throws as save_safetensors does.
void write_safetensors(AtomicFile& file, const std::string& where, const NamedArrays& arrays, const Metadata& metadata);

}  // namespace tandem
