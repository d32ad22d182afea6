// Learning of merges: counts of all pairs, kept up to date by looking only at the parts that hold the merged pair, and
// in them only beside its places. See byte_pairs.h.
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

class BytePairs::Learner {
 public:
  using Pair = std::pair<std::int64_t, std::int64_t>;

  void add_part(Ids symbols, std::int64_t count) {
    parts_.push_back(std::move(symbols));
    counts_.push_back(count);
    const std::size_t part = parts_.size() - 1;
    for (std::size_t i = 0; i + 1 < parts_[part].size(); ++i) {
      const Pair pair{parts_[part][i], parts_[part][i + 1]};
      places_[pair].push_back(part);
      add(pair, count);
    }
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
    for (const std::size_t part : parts) replace_in(part, pair, product);
  }

 private:
  struct Candidate {
    std::int64_t count;
    Pair pair;
    /// Comes later: rarer, or as frequent with larger ids.
    bool operator<(const Candidate& o) const { return count != o.count ? count < o.count : pair > o.pair; }
  };

  void add(const Pair& pair, std::int64_t count) {
    pair_counts_[pair] += count;
    changed_.insert(pair);
  }

  /// Every place of the pair in one part, from left to right; pairs with a symbol that goes or comes change their
  /// count.
  void replace_in(std::size_t part, const Pair& pair, std::int64_t product) {
    const Ids before = std::move(parts_[part]);
    Ids& now = parts_[part];
    now.clear();
    std::vector<bool> goes(before.size()), comes;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const bool is_pair = i + 1 < before.size() && Pair(before[i], before[i + 1]) == pair;
      now.push_back(is_pair ? product : before[i]);
      comes.push_back(is_pair);
      if (is_pair) goes[i] = goes[i + 1] = true, ++i;
    }
    for (std::size_t i = 0; i + 1 < before.size(); ++i)
      if (goes[i] || goes[i + 1]) add({before[i], before[i + 1]}, -counts_[part]);
    for (std::size_t i = 0; i + 1 < now.size(); ++i) {
      if (!comes[i] && !comes[i + 1]) continue;
      add({now[i], now[i + 1]}, counts_[part]);
      places_[{now[i], now[i + 1]}].push_back(part);
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
