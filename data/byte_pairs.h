// BytePairs: text as numbers of subwords, by byte-pair encoding (Sennrich, Haddow & Birch 2016, "Neural machine
// translation of rare words with subword units", algorithm 1), learned from text, saved and read back.
//
//   "Der Hut, rot."  words at white space, parts at punctuation   Der</w> Hut</w> <+>,</w> rot</w> <+>.</w>
//                    merges, in the order in which they were learned   D er</w> Hut</w> <+>,</w> ro t</w> <+>.</w>
//
// </w> ends a part, and a space follows in the text; <+> takes that space back; punctuation right before a letter
// has no </w>. So a word is the same with a comma after it as without.
// Not here: padding and batches (sentence_batches.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tandem {

struct BytePairOptions {
  std::int64_t merges = 6000;  ///< at most
  std::int64_t least = 2;      ///< how often a pair occurs to be merged
};

class BytePairs {
 public:
  /// Ids that are no text. An unknown character is decoded as U+FFFD, the others as nothing.
  static constexpr std::int64_t kPadding = 0, kUnknown = 1, kBegin = 2, kEnd = 3;

  /// Merges the most frequent pair of neighbours inside the parts of all lines, again and again. Among equals the pair
  /// whose left, then right, subword has the smaller id comes first, so equal text gives equal merges. Throws Error for
  /// a line that is not UTF-8, or when there is no character.
  static BytePairs learn(const std::vector<std::string>& lines, const BytePairOptions& options = {});
  /// What save() wrote. Throws Error naming file and line for anything else.
  static BytePairs load(const std::filesystem::path& path);
  /// A text file, to_text(). Throws Error when it cannot be written.
  void save(const std::filesystem::path& path) const;
  /// All of it as text: the characters, then the merges, one a line.
  std::string to_text() const;
  /// Reads to_text() back. Throws Error naming `where` and the line.
  static BytePairs from_text(std::string_view text, std::string_view where);

  /// How many ids there are: special ones, every form of each character that was seen, and what merges made.
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::int64_t merges() const { return static_cast<std::int64_t>(merges_.size()); }
  /// "Hut</w>". Throws Error for an id out of range.
  const std::string& token(std::int64_t id) const;
  /// 64 bits that change with any character or merge: which vocabulary a model was trained with.
  std::uint64_t checksum() const;

  /// Ids of a line, without begin and end. Throws Error when it is not UTF-8.
  std::vector<std::int64_t> encode(std::string_view line) const;
  /// The same for many lines, each word computed once.
  std::vector<std::vector<std::int64_t>> encode(const std::vector<std::string>& lines) const;
  /// The line, with single spaces, so decode(encode(x)) is x but for white space and unknown characters. Throws Error
  /// for an id out of range.
  std::string decode(const std::vector<std::int64_t>& ids) const;

 private:
  using Ids = std::vector<std::int64_t>;
  struct Merge {
    std::int64_t rank = 0, product = 0;
  };
  struct Part;    // of a word
  class Learner;  // counts of pairs
  using Memo = std::unordered_map<std::string, Ids>;

  explicit BytePairs(std::vector<std::string> characters);
  static std::vector<Part> parts_of(std::string_view word);
  std::int64_t add_token(const std::string& token);
  /// The id of what the two become.
  std::int64_t add_merge(std::int64_t left, std::int64_t right);
  /// Characters with their marks.
  Ids symbols_of(const Part& part) const;
  /// In n log n for n symbols.
  void apply_merges(Ids& symbols) const;
  Ids encode(std::string_view line, Memo& memo) const;

  std::vector<std::string> characters_, tokens_;
  std::unordered_map<std::string, std::int64_t> ids_;
  std::vector<std::pair<std::int64_t, std::int64_t>> merges_;
  std::unordered_map<std::uint64_t, Merge> by_pair_;
};

}  // namespace tandem
