// See text.h.
#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/text.h>
#include <tandem/data/utf8.h>

namespace tandem {

namespace {

void for_each_word(std::string_view line, const std::function<void(std::string_view)>& f) {
  for (std::size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    f(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
}

}  // namespace

std::string_view name(TokenKind kind) { return kind == TokenKind::words ? "words" : "characters"; }

TokenKind token_kind(std::string_view kind) {
  for (const TokenKind known : {TokenKind::words, TokenKind::characters})
    if (kind == name(known)) return known;
  fail_usage("tokens", fmt::format("\"{}\" is not known", kind), "known are words, characters");
}

std::string read_text(const std::filesystem::path& file) {
  const std::string content = read_file(file);
  check_utf8(content, file.string());
  std::string text(without_byte_order_mark(content));
  if (text.empty()) fail(file.string(), "the file is empty", "a text is needed");
  return text;
}

void for_each_token(std::string_view text, TokenKind kind, const std::function<void(std::string_view)>& f) {
  check_utf8(text, "tokens");
  if (kind == TokenKind::characters) {
    while (!text.empty()) {
      const std::size_t count = utf8_length(text, 0);
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
