// See utf8.h.
#include <tandem/data/utf8.h>

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

}  // namespace

void check_utf8(std::string_view text, std::string_view where) {
  const std::size_t bad = find_not_utf8(text);
  if (bad == std::string_view::npos) return;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail(where, "not UTF-8", "it begins as UTF-16 does", "convert it, e.g. with iconv -f UTF-16 -t UTF-8");
  }
  fail(where, "not UTF-8", fmt::format("line {}, byte offset {}: 0x{:02X}", line, bad, byte_at(text, bad)),
       "convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

char32_t utf8_code_point(std::string_view text, std::size_t at) {
  const std::size_t length = utf8_length(text, at);
  if (length <= 1) return byte_at(text, at);
  char32_t c = byte_at(text, at) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) c = (c << 6) | (byte_at(text, at + i) & 0x3fU);
  return c;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t length = utf8_length(text, at);
    const bool is_end = at == text.size();
    if (is_end || (length > 0 && is_space(utf8_code_point(text, at)))) {
      if (at > begin) words.push_back(text.substr(begin, at - begin));
      begin = at + (is_end ? 0 : length);
    }
    at += length > 0 ? length : 1;
  }
  return words;
}

}  // namespace tandem
