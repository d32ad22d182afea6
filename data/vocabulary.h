// Vocabulary: the tokens that a model knows, words or characters, and their ids 0, 1, 2 ... Built from text, written
// and read back as text: a head line, then one token a line in the order of ids.
//   Vocabulary v = Vocabulary::build(read_text("train.txt"), {.kind = TokenKind::words});
//   Array ids = v.encode("no it was n't black monday");
// Not here: batches (language_batches.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/data/text.h>

namespace tandem {

struct VocabularyOptions {
  TokenKind kind = TokenKind::words;
  std::int64_t min_count = 1;   ///< rarer tokens are left out
  std::int64_t max_tokens = 0;  ///< with <eos> and <unk>; the rarest are left out; 0: no limit
};

class Vocabulary {
 public:
  /// Without tokens; to be assigned.
  Vocabulary() = default;
  /// tokens[i] gets id i. Throws Error when one is empty, not UTF-8 or there twice, and when <unk> (of words, also
  /// <eos>) is missing.
  Vocabulary(TokenKind kind, std::vector<std::string> tokens);

  /// The tokens of a text: of words first <eos>, <unk>, of characters first <unk>; then by frequency, equal ones in the
  /// order of their first appearance. Throws Error when min_count < 1, max_tokens leaves no room, or the text is not
  /// UTF-8.
  static Vocabulary build(std::string_view text, const VocabularyOptions& options = {});

  TokenKind kind() const { return kind_; }
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  bool contains(std::string_view token) const { return ids_.find(token) != ids_.end(); }
  /// The id of a token; unknown() for one that is not there.
  std::int64_t id(std::string_view token) const;
  std::int64_t unknown() const { return unknown_; }
  /// Throws Error when the id is out of range.
  const std::string& token(std::int64_t id) const;

  /// Ids i64 [N] of a text, of at least one token. Throws Error for none, and for a text that is not UTF-8.
  Array encode(std::string_view text) const;
  /// Text from ids i64 [N]: words with spaces between them and line breaks for <eos>; characters, U+FFFD for <unk>.
  /// Throws Error for an id out of range.
  std::string decode(const Array& ids) const;
  /// Throws Error naming `where`, position and id when an id of i64 [N] is not below size().
  void check(const Array& ids, std::string_view where) const;

  /// The whole vocabulary as text; line breaks and backslashes within a token are escaped: \n, \r, \\.
  std::string to_text() const;
  /// Reads to_text() back. Throws Error naming `where` and the line.
  static Vocabulary from_text(std::string_view text, std::string_view where);
  void save(const std::filesystem::path& file) const;
  /// Throws Error naming the file and the reason.
  static Vocabulary load(const std::filesystem::path& file);

  bool operator==(const Vocabulary& other) const { return kind_ == other.kind_ && tokens_ == other.tokens_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  TokenKind kind_ = TokenKind::words;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
  std::int64_t unknown_ = 0;
};

}  // namespace tandem
