// Text in: files in UTF-8, checked before anything else sees them, and the words or characters they are made of.
// Not here: ids of tokens (vocabulary.h), data sets (text_corpus.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace tandem {

/// What a text is cut into. words: what stands between spaces, tabs and line breaks (ASCII), and after each line, an
/// empty one too, the token kEndOfLine. characters: code points, line breaks among them.
enum class TokenKind { words, characters };

inline constexpr std::string_view kEndOfLine = "<eos>";
inline constexpr std::string_view kUnknown = "<unk>";
/// What divides the words of a line.
inline constexpr std::string_view kBlanks = " \t\r\v\f";

/// "words" or "characters".
std::string_view name(TokenKind kind);
/// The kind of this name. Throws UsageError.
TokenKind token_kind(std::string_view name);

/// The whole content of a text file, without a byte-order mark. Throws Error naming the file when it cannot be read, is
/// empty, or is not UTF-8.
std::string read_text(const std::filesystem::path& file);

/// Calls f(token) for each token of a text, in order; views into `text`, and kEndOfLine. Throws Error for a text that
/// is not UTF-8, before the first token.
void for_each_token(std::string_view text, TokenKind kind, const std::function<void(std::string_view)>& f);

}  // namespace tandem
