// See vocabulary.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/utf8.h>
#include <tandem/data/vocabulary.h>

namespace tandem {

namespace {

constexpr std::string_view kHead = "tandem vocabulary of ";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::vector<std::string> special_tokens(TokenKind kind) {
  if (kind == TokenKind::characters) return {std::string(kUnknown)};
  return {std::string(kEndOfLine), std::string(kUnknown)};
}

std::string escaped(const std::string& token) {
  std::string text;
  for (const char c : token) {
    if (c == '\n')
      text += "\\n";
    else if (c == '\r')
      text += "\\r";
    else if (c == '\\')
      text += "\\\\";
    else
      text += c;
  }
  return text;
}

/// Reads escaped() back; `where` names the file and the line.
std::string unescaped(std::string_view text, const std::string& where) {
  std::string token;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      token += text[i];
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    if (next != 'n' && next != 'r' && next != '\\') fail(where, "an escape other than \\n, \\r and \\\\");
    token += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
  }
  return token;
}

}  // namespace

Vocabulary::Vocabulary(TokenKind kind, std::vector<std::string> tokens) : kind_(kind), tokens_(std::move(tokens)) {
  for (std::int64_t i = 0; i < size(); ++i) {
    const std::string& token = tokens_[static_cast<std::size_t>(i)];
    if (token.empty()) fail("vocabulary", "a token is empty", fmt::format("id {}", i));
    check_utf8(token, fmt::format("vocabulary: token {}", i));
    const auto [entry, is_new] = ids_.emplace(token, i);
    if (!is_new) {
      fail("vocabulary", fmt::format("token \"{}\" is there twice", escaped(token)),
           fmt::format("ids {} and {}", entry->second, i));
    }
  }
  for (const std::string& special : special_tokens(kind))
    if (!contains(special)) fail("vocabulary", fmt::format("has no {}", special), fmt::format("{} tokens", size()));
  unknown_ = ids_.find(kUnknown)->second;
}

Vocabulary Vocabulary::build(std::string_view text, const VocabularyOptions& options) {
  std::vector<std::string> tokens = special_tokens(options.kind);
  const auto specials = static_cast<std::int64_t>(tokens.size());
  if (options.min_count < 1) fail("vocabulary", fmt::format("min_count is {}, must be at least 1", options.min_count));
  if (options.max_tokens != 0 && options.max_tokens < specials) {
    fail("vocabulary", fmt::format("max_tokens is {}, must be at least {}", options.max_tokens, specials),
         "or 0: no limit");
  }
  struct Counted {
    std::string_view token;
    std::int64_t count;
  };
  std::vector<Counted> counted;  // in the order of first appearance
  std::unordered_map<std::string_view, std::size_t> places;
  for_each_token(text, options.kind, [&](std::string_view token) {
    const auto [entry, is_new] = places.emplace(token, counted.size());
    if (is_new) counted.push_back({token, 0});
    ++counted[entry->second].count;
  });
  std::stable_sort(counted.begin(), counted.end(),
                   [](const Counted& a, const Counted& b) { return a.count > b.count; });
  for (const Counted& entry : counted) {
    const bool is_full = options.max_tokens != 0 && static_cast<std::int64_t>(tokens.size()) >= options.max_tokens;
    if (is_full || entry.count < options.min_count) break;
    const auto end = tokens.begin() + specials;
    if (std::find(tokens.begin(), end, entry.token) == end) tokens.emplace_back(entry.token);
  }
  return Vocabulary(options.kind, std::move(tokens));
}

std::int64_t Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? unknown_ : found->second;
}

const std::string& Vocabulary::token(std::int64_t id) const {
  if (id < 0 || id >= size()) fail("vocabulary", "token id out of range", fmt::format("{} of {} tokens", id, size()));
  return tokens_[static_cast<std::size_t>(id)];
}

Array Vocabulary::encode(std::string_view text) const {
  std::vector<std::int64_t> ids;
  for_each_token(text, kind_, [&](std::string_view token) { ids.push_back(id(token)); });
  if (ids.empty()) fail("vocabulary", "the text to encode is empty");
  return Array::from(ids, {static_cast<std::int64_t>(ids.size())});
}

std::string Vocabulary::decode(const Array& ids) const {
  check(ids, "vocabulary");
  std::string text;
  for (const std::int64_t id : ids.to_vector<std::int64_t>()) {
    const std::string& token = tokens_[static_cast<std::size_t>(id)];
    if (kind_ == TokenKind::characters) {
      text += id == unknown_ ? kReplacement : std::string_view(token);
    } else if (token == kEndOfLine) {
      text += '\n';
    } else {
      if (!text.empty() && text.back() != '\n') text += ' ';
      text += token;
    }
  }
  return text;
}

void Vocabulary::check(const Array& ids, std::string_view where) const {
  const std::vector<std::int64_t> values = ids.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0 && values[i] < size()) continue;
    fail(where, "token id out of range",
         fmt::format("position {} has id {}, the vocabulary {} tokens", i, values[i], size()));
  }
}

std::string Vocabulary::to_text() const {
  std::string text = fmt::format("{}{}\n", kHead, name(kind_));
  for (const std::string& token : tokens_) text += escaped(token) + "\n";
  return text;
}

Vocabulary Vocabulary::from_text(std::string_view text, std::string_view where) {
  check_utf8(text, where);
  std::vector<std::string> tokens;
  TokenKind kind = TokenKind::words;
  std::size_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (++line > 1) {
      tokens.push_back(unescaped(content, fmt::format("{} line {}", where, line)));
      continue;
    }
    const bool is_words = content == fmt::format("{}{}", kHead, name(TokenKind::words));
    if (!is_words && content != fmt::format("{}{}", kHead, name(TokenKind::characters)))
      fail(where, "not a vocabulary", fmt::format("the first line must be \"{}words\" or of characters", kHead));
    kind = is_words ? TokenKind::words : TokenKind::characters;
  }
  if (line == 0) fail(where, "not a vocabulary", "it is empty");
  try {
    return Vocabulary(kind, std::move(tokens));
  } catch (const Error& error) {
    fail(where, "not a vocabulary", error.what());
  }
}

void Vocabulary::save(const std::filesystem::path& file) const { write_file(file, to_text()); }

Vocabulary Vocabulary::load(const std::filesystem::path& file) { return from_text(read_file(file), file.string()); }

}  // namespace tandem
