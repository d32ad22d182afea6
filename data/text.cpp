// Checks UTF-8 and cuts text into tokens. See text.h.
#include <algorithm>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include <tandem/data/text.h>

namespace tandem {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r\v\f";

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

bool is_between(std::uint8_t byte, std::uint8_t low, std::uint8_t high) { return low <= byte && byte <= high; }

/// Bytes of the valid character at the start of `text`; 0 when there is none. The table of RFC 3629, section 4.
std::size_t valid_bytes(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t count = is_between(first, 0xC2, 0xDF)   ? 2
                            : is_between(first, 0xE0, 0xEF) ? 3
                            : is_between(first, 0xF0, 0xF4) ? 4
                                                            : 0;
  if (count == 0 || text.size() < count) return 0;
  // The second byte excludes overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
  const std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (!is_between(byte_at(text, 1), low, high)) return 0;
  for (std::size_t i = 2; i < count; ++i)
    if (!is_between(byte_at(text, i), 0x80, 0xBF)) return 0;
  return count;
}

void for_each_word(std::string_view line, const std::function<void(std::string_view)>& f) {
  for (std::size_t begin = line.find_first_not_of(kBlank); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlank, begin), line.size());
    f(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlank, end);
  }
}

}  // namespace

std::string_view name(TokenKind kind) { return kind == TokenKind::words ? "words" : "characters"; }

TokenKind token_kind(std::string_view kind) {
  for (const TokenKind known : {TokenKind::words, TokenKind::characters})
    if (kind == name(known)) return known;
  fail_usage("tokens", fmt::format("\"{}\" is not known", kind), "known are words, characters");
}

void check_utf8(std::string_view text, std::string_view where) {
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t count = valid_bytes(text.substr(i));
    if (count == 0) {
      fail(where, "not UTF-8", fmt::format("line {}, byte offset {}: 0x{:02X}", line, i, byte_at(text, i)),
           "convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
    }
    line += text[i] == '\n' ? 1 : 0;
    i += count;
  }
}

std::string read_text(const std::filesystem::path& file) {
  std::string text = read_file(file);
  check_utf8(text, file.string());
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (text.empty()) fail(file.string(), "the file is empty", "a text is needed");
  return text;
}

std::size_t character_bytes(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

void for_each_token(std::string_view text, TokenKind kind, const std::function<void(std::string_view)>& f) {
  if (kind == TokenKind::characters) {
    while (!text.empty()) {
      const std::size_t count = character_bytes(text);
      f(text.substr(0, count));
      text.remove_prefix(count);
    }
    return;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    for_each_word(text.substr(0, end), f);
    f(kEndOfLine);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace tandem
