// UTF-8, as far as text needs it beyond core/utf8.h: code points, white space, words, marks. Not here: words in parts
// and their numbers (byte_pairs.h).
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <tandem/core/utf8.h>

namespace tandem {

/// Throws Error naming `where`, and line and byte of the first byte that is not UTF-8.
void check_utf8(std::string_view text, std::string_view where);
/// The text without the mark EF BB BF that some programs put in front of it.
std::string_view without_byte_order_mark(std::string_view text);
/// The code point at `at`, where utf8_length is not 0.
char32_t utf8_code_point(std::string_view text, std::size_t at);

/// Where Python's str.split() cuts: Unicode's white space and U+001C to U+001F.
bool is_space(char32_t c);
/// What stands between white space, in order. Bytes that are not UTF-8 belong to words.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace tandem
