// Learning of merges: counts of all pairs, kept up to date by looking only at the words that hold the merged pair. See
// byte_pairs.h.
#include <algorithm>
#include <map>
#include <queue>
#include <set>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/byte_pair_parts.h>
#include <tandem/data/utf8.h>

namespace tandem {

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return c > ' ' && c != 0x7f && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z');
  if (c <= 0xbf) return c >= 0xa1 && c != 0xaa && c != 0xb5 && c != 0xba;  // ordinals and micro are letters
  return c == 0xd7 || c == 0xf7 || (c >= 0x2010 && c <= 0x205e) || (c >= 0x3001 && c <= 0x303f);
}

void replace_pair(std::vector<std::int64_t>& symbols, std::int64_t left, std::int64_t right, std::int64_t product) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i, ++out) {
    const bool is_pair = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
    symbols[out] = is_pair ? product : symbols[i];
    if (is_pair) ++i;
  }
  symbols.resize(out);
}

class BytePairs::Learner {
 public:
  using Pair = std::pair<std::int64_t, std::int64_t>;

  void add_part(Ids symbols, std::int64_t count) {
    parts_.push_back(std::move(symbols));
    counts_.push_back(count);
    const std::size_t part = parts_.size() - 1;
    for (const Pair& pair : pairs_of(part)) places_[pair].push_back(part);
    count_pairs(part, 1);
  }

  /// The most frequent pair, when it occurs often enough.
  bool find_best(std::int64_t least, Pair& best) {
    for (const Pair& pair : changed_)
      if (pair_counts_[pair] > 0) queue_.push({pair_counts_[pair], pair});
    changed_.clear();
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      if (pair_counts_[top.pair] != top.count) continue;  // changed since: it stands in the queue with its new count
      best = top.pair;
      return top.count >= least;
    }
    return false;
  }

  void merge(const Pair& pair, std::int64_t product) {
    std::vector<std::size_t> parts = std::move(places_[pair]);
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    for (const std::size_t part : parts) {
      count_pairs(part, -1);
      replace_pair(parts_[part], pair.first, pair.second, product);
      count_pairs(part, 1);
      for (const Pair& now : pairs_of(part))
        if (now.first == product || now.second == product) places_[now].push_back(part);
    }
  }

 private:
  struct Candidate {
    std::int64_t count;
    Pair pair;
    /// Comes later: rarer, or as frequent with larger ids.
    bool operator<(const Candidate& o) const { return count != o.count ? count < o.count : pair > o.pair; }
  };

  std::vector<Pair> pairs_of(std::size_t part) const {
    const Ids& symbols = parts_[part];
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) pairs.emplace_back(symbols[i], symbols[i + 1]);
    return pairs;
  }
  void count_pairs(std::size_t part, std::int64_t sign) {
    for (const Pair& pair : pairs_of(part)) {
      pair_counts_[pair] += sign * counts_[part];
      changed_.insert(pair);
    }
  }

  std::vector<Ids> parts_;
  std::vector<std::int64_t> counts_;
  std::map<Pair, std::int64_t> pair_counts_;
  std::map<Pair, std::vector<std::size_t>> places_;
  std::set<Pair> changed_;
  std::priority_queue<Candidate> queue_;
};

BytePairs BytePairs::learn(const std::vector<std::string>& lines, const BytePairOptions& options) {
  if (options.merges < 0 || options.least < 1) {
    fail("byte_pairs", "merges must not be negative, least at least 1",
         fmt::format("merges {}, least {}", options.merges, options.least));
  }
  std::map<std::string, std::int64_t> words;
  for (const std::string& line : lines) {
    check_utf8(line, "byte_pairs");
    for (const std::string_view word : split_words(line)) ++words[std::string(word)];
  }
  if (words.empty()) fail("byte_pairs", "there is no text to learn from", fmt::format("{} lines", lines.size()));
  std::set<std::string> characters;
  for (const auto& [word, count] : words)
    for (std::size_t at = 0; at < word.size(); at += utf8_length(word, at))
      characters.insert(word.substr(at, utf8_length(word, at)));
  BytePairs codes({characters.begin(), characters.end()});

  std::map<Ids, std::int64_t> parts;
  for (const auto& [word, count] : words)
    for (const Part& part : parts_of(word)) parts[codes.symbols_of(part)] += count;
  Learner learner;
  for (const auto& [symbols, count] : parts) learner.add_part(symbols, count);
  for (Learner::Pair best; codes.merges() < options.merges && learner.find_best(options.least, best);) {
    const std::int64_t product = codes.add_merge(best.first, best.second);
    learner.merge(best, product);
  }
  return codes;
}

}  // namespace tandem
