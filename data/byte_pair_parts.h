// What learning and encoding of byte pairs share: the marks and parts of words. Private to data. See byte_pairs.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <tandem/data/byte_pairs.h>

namespace tandem {

inline constexpr const char* kWordEnd = "</w>";
inline constexpr const char* kJoin = "<+>";

/// A run of letters and digits, or one punctuation mark, of a word. Marks cannot be mistaken for text: "<", "+" and "/"
/// are punctuation, so no subword of text holds two of them.
struct BytePairs::Part {
  std::string_view text;
  bool is_mark = false;    ///< punctuation
  bool is_joined = false;  ///< begins with kJoin
  bool is_ending = true;   ///< ends with kWordEnd
};

/// Punctuation and symbols of ASCII, Latin-1, and Unicode's blocks General Punctuation and CJK Symbols.
bool is_punctuation(char32_t c);

}  // namespace tandem
