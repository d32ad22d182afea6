// UTF-8: is this text, and where does it stop being it. What names and metadata in files must be (safetensors.h).
// Not here: white space, words, byte-order marks (data/utf8.h).
#pragma once

#include <cstddef>
#include <string_view>

namespace tandem {

/// Bytes of the character that begins at `at`, 1 to 4; 0 where the bytes are not UTF-8 (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at);
/// The first byte that is not UTF-8; npos when all of it is.
std::size_t find_not_utf8(std::string_view text);
/// True when all of it is UTF-8: what a metadata value must be, and a file name on Linux need not.
bool is_utf8(std::string_view text);

}  // namespace tandem
