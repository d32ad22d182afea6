// Parts of words, encoding and decoding, the file. See byte_pairs.h; learning is in byte_pairs_learn.cpp.
#include <algorithm>
#include <charconv>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/byte_pair_parts.h>
#include <tandem/data/utf8.h>

namespace tandem {

namespace {

constexpr const char* kTitle = "tandem byte pairs 1";
constexpr std::int64_t kWordEndId = 4, kJoinId = 5;  // alone only beside unknown characters
const char* const kSpecial[] = {"<pad>", "<unk>", "<s>", "</s>", kWordEnd, kJoin};

std::uint64_t key_of(std::int64_t left, std::int64_t right) {
  return (static_cast<std::uint64_t>(left) << 32U) | static_cast<std::uint64_t>(right);
}

/// The lines of a vocabulary, each asked for once.
class Lines {
 public:
  Lines(std::string_view text, std::string_view where) : where_(where), text_(text) { check_utf8(text_, where_); }
  std::string next() {
    ++number_;
    const std::size_t end = text_.find('\n', at_);
    if (end == std::string::npos) refuse("the text ends here");
    std::string line(text_.substr(at_, end - at_));
    at_ = end + 1;
    return line;
  }
  /// "merges 6000".
  std::int64_t next_count(const std::string& name) {
    const std::string line = next();
    std::int64_t count = -1;
    if (line.starts_with(name + " ")) {
      const char *begin = line.data() + name.size() + 1, *end = line.data() + line.size();
      const auto [stopped, error] = std::from_chars(begin, end, count);
      if (error != std::errc() || stopped != end) count = -1;
    }
    if (count < 0) refuse(fmt::format("\"{}\" and a number are expected", name));
    return count;
  }
  bool is_over() const { return at_ == text_.size(); }
  [[noreturn]] void refuse(const std::string& facts) const {
    fail(fmt::format("{}:{}", where_, number_), "not a vocabulary of byte pairs", facts);
  }

 private:
  std::string where_;
  std::string_view text_;
  std::size_t at_ = 0;
  int number_ = 0;
};

}  // namespace

std::vector<BytePairs::Part> BytePairs::parts_of(std::string_view word) {
  std::vector<Part> parts;
  for (std::size_t at = 0, length = 0; at < word.size(); at += length) {
    length = utf8_length(word, at);
    const bool is_mark = is_punctuation(utf8_code_point(word, at));
    if (!is_mark && !parts.empty() && !parts.back().is_mark) {
      const std::size_t before = parts.back().text.size();
      parts.back().text = word.substr(at - before, before + length);
      continue;
    }
    if (!is_mark && !parts.empty()) parts.back().is_ending = false;
    parts.push_back({word.substr(at, length), is_mark, is_mark && !parts.empty(), true});
  }
  return parts;
}

BytePairs::BytePairs(std::vector<std::string> characters) : characters_(std::move(characters)) {
  for (const char* special : kSpecial) add_token(special);
  for (const std::string& c : characters_) {
    add_token(c);
    add_token(c + kWordEnd);
    if (!is_punctuation(utf8_code_point(c, 0))) continue;
    add_token(kJoin + c);
    add_token(kJoin + c + kWordEnd);
  }
}

std::int64_t BytePairs::add_token(const std::string& token) {
  const auto [at, is_new] = ids_.emplace(token, size());
  if (is_new) tokens_.push_back(token);
  return at->second;
}

std::int64_t BytePairs::add_merge(std::int64_t left, std::int64_t right) {
  const std::int64_t product =
      add_token(tokens_[static_cast<std::size_t>(left)] + tokens_[static_cast<std::size_t>(right)]);
  by_pair_.emplace(key_of(left, right), Merge{merges(), product});
  merges_.emplace_back(left, right);
  return product;
}

const std::string& BytePairs::token(std::int64_t id) const {
  if (id < 0 || id >= size()) {
    fail("byte_pairs", fmt::format("id {} is out of range", id), fmt::format("there are {} ids", size()));
  }
  return tokens_[static_cast<std::size_t>(id)];
}

BytePairs::Ids BytePairs::symbols_of(const Part& part) const {
  Ids symbols;
  for (std::size_t at = 0, length = 0; at < part.text.size(); at += length) {
    length = utf8_length(part.text, at);
    const bool joins = at == 0 && part.is_joined, ends = at + length == part.text.size() && part.is_ending;
    const std::string c(part.text.substr(at, length));
    const auto found = ids_.find((joins ? kJoin : "") + c + (ends ? kWordEnd : ""));
    if (found != ids_.end()) {
      symbols.push_back(found->second);
      continue;
    }
    if (joins) symbols.push_back(kJoinId);
    symbols.push_back(kUnknown);
    if (ends) symbols.push_back(kWordEndId);
  }
  return symbols;
}

// All places of the lowest rank, from left to right; then the pairs that this has made; and again.
void BytePairs::apply_merges(Ids& symbols) const {
  struct Candidate {
    std::int64_t rank, product;
    std::size_t left, right;  // places; stale where their symbols have changed
    std::int64_t first, second;
    bool operator<(const Candidate& o) const { return std::pair(rank, left) > std::pair(o.rank, o.left); }
  };
  constexpr std::int64_t kGone = -1;
  const std::size_t n = symbols.size();
  std::vector<std::size_t> next(n), before(n);
  std::priority_queue<Candidate> queue;
  const auto offer = [&](std::size_t left, std::size_t right) {
    const auto found = by_pair_.find(key_of(symbols[left], symbols[right]));
    if (found == by_pair_.end()) return;
    queue.push({found->second.rank, found->second.product, left, right, symbols[left], symbols[right]});
  };
  for (std::size_t i = 0; i < n; ++i) {
    next[i] = i + 1;
    before[i] = i - 1;
    if (i + 1 < n) offer(i, i + 1);
  }
  std::vector<std::size_t> made;
  while (!queue.empty()) {
    made.clear();
    for (const std::int64_t rank = queue.top().rank; !queue.empty() && queue.top().rank == rank;) {
      const Candidate best = queue.top();
      queue.pop();
      if (symbols[best.left] != best.first || next[best.left] != best.right || symbols[best.right] != best.second)
        continue;
      symbols[best.left] = best.product;
      symbols[best.right] = kGone;
      next[best.left] = next[best.right];
      if (next[best.left] < n) before[next[best.left]] = best.left;
      made.push_back(best.left);
    }
    for (const std::size_t place : made) {
      if (next[place] < n) offer(place, next[place]);
      if (place > 0) offer(before[place], place);
    }
  }
  symbols.erase(std::remove(symbols.begin(), symbols.end(), kGone), symbols.end());
}

BytePairs::Ids BytePairs::encode(std::string_view line, Memo& memo) const {
  check_utf8(line, "byte_pairs");
  Ids ids;
  for (const std::string_view word : split_words(line)) {
    const auto [at, is_new] = memo.try_emplace(std::string(word));
    if (is_new) {
      for (const Part& part : parts_of(word)) {
        Ids symbols = symbols_of(part);
        apply_merges(symbols);
        at->second.insert(at->second.end(), symbols.begin(), symbols.end());
      }
    }
    ids.insert(ids.end(), at->second.begin(), at->second.end());
  }
  return ids;
}

std::vector<std::int64_t> BytePairs::encode(std::string_view line) const {
  Memo memo;
  return encode(line, memo);
}

std::vector<std::vector<std::int64_t>> BytePairs::encode(const std::vector<std::string>& lines) const {
  Memo memo;
  std::vector<Ids> all;
  for (const std::string& line : lines) all.push_back(encode(line, memo));
  return all;
}

std::string BytePairs::decode(const std::vector<std::int64_t>& ids) const {
  const std::string_view join = kJoin, word_end = kWordEnd;
  std::string line;
  for (const std::int64_t id : ids) {
    std::string_view part = token(id);
    if (id == kPadding || id == kBegin || id == kEnd) continue;
    if (id == kUnknown) part = "\xef\xbf\xbd";
    if (part.starts_with(join)) {
      part.remove_prefix(join.size());
      if (!line.empty() && line.back() == ' ') line.pop_back();
    }
    const bool ends = part.ends_with(word_end);
    if (ends) part.remove_suffix(word_end.size());
    line.append(part).append(ends ? " " : "");
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string BytePairs::to_text() const {
  std::string text = fmt::format("{}\ncharacters {}\n", kTitle, characters_.size());
  for (const std::string& c : characters_) text += c + "\n";
  text += fmt::format("merges {}\n", merges_.size());
  for (const auto& [left, right] : merges_) text += token(left) + " " + token(right) + "\n";
  return text;
}

std::uint64_t BytePairs::checksum() const {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : to_text()) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

void BytePairs::save(const std::filesystem::path& path) const { write_file(path, to_text()); }

BytePairs BytePairs::load(const std::filesystem::path& path) { return from_text(read_file(path), path.string()); }

BytePairs BytePairs::from_text(std::string_view text, std::string_view where) {
  Lines lines(text, where);
  if (lines.next() != kTitle) lines.refuse(fmt::format("\"{}\" is expected", kTitle));
  std::vector<std::string> characters;
  for (std::int64_t left = lines.next_count("characters"); left > 0; --left) {
    characters.push_back(lines.next());
    const std::string& c = characters.back();
    if (c.empty() || utf8_length(c, 0) != c.size() || is_space(utf8_code_point(c, 0)))
      lines.refuse("one character is expected");
  }
  BytePairs codes(std::move(characters));
  for (std::int64_t left = lines.next_count("merges"); left > 0; --left) {
    const std::string line = lines.next();
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto first = codes.ids_.find(line.substr(0, space));
    const auto second = codes.ids_.find(line.substr(std::min(space + 1, line.size())));
    if (first == codes.ids_.end() || second == codes.ids_.end() || first->second <= kJoinId ||
        second->second <= kJoinId)
      lines.refuse("two subwords that are known by then are expected");
    codes.add_merge(first->second, second->second);
  }
  if (!lines.is_over()) lines.refuse("more lines than merges");
  return codes;
}

}  // namespace tandem
