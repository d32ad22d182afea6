// Tokens, clipped n-grams, the score. See bleu.h.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/bleu.h>
#include <tandem/data/utf8.h>

namespace tandem {

namespace {

std::string replace_all(const std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, begin)) {
    out.append(text, begin, at - begin).append(to);
    begin = at + from.size();
  }
  return out.append(text, begin);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

/// The ASCII characters that always stand alone: all that are no letter, digit, apostrophe, comma, dash or full stop.
bool stands_alone(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// The rules are those of regular expressions: each goes from left to right over what the one before made, and what it
// has matched is not looked at again. Bytes serve as well as characters, since all that is matched is ASCII or "not".

std::string with_lonely_punctuation(const std::string& text) {
  std::string out;
  for (const char c : text) stands_alone(c) ? out.append(1, ' ').append(1, c).append(1, ' ') : out.append(1, c);
  return out;
}

/// Cuts pairs that `matches`: "ab" becomes before + a + between + b + after.
template <class F>
std::string cut_pairs(const std::string& text, const F& matches, bool space_before, bool space_after) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (i + 1 == text.size() || !matches(text[i], text[i + 1])) {
      out += text[i++];
      continue;
    }
    if (space_before) out += ' ';
    out.append(1, text[i]).append(1, ' ').append(1, text[i + 1]);
    if (space_after) out += ' ';
    i += 2;
  }
  return out;
}

using Counts = std::unordered_map<std::string, std::int64_t>;

Counts count_ngrams(const std::vector<std::string>& tokens, std::size_t n) {
  Counts counts;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    std::string ngram = tokens[i];
    for (std::size_t j = 1; j < n; ++j) ngram.append(1, ' ').append(tokens[i + j]);
    ++counts[ngram];
  }
  return counts;
}

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view line) {
  std::string text(line);
  const std::pair<const char*, const char*> entities[] = {
      {"<skipped>", ""}, {"-\n", ""}, {"\n", " "}, {"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}};
  for (const auto& [from, to] : entities) text = replace_all(text, from, to);
  text = with_lonely_punctuation(" " + text + " ");
  text = cut_pairs(
      text, [](char a, char b) { return !is_digit(a) && is_point(b); }, false, true);
  text = cut_pairs(
      text, [](char a, char b) { return is_point(a) && !is_digit(b); }, true, false);
  text = cut_pairs(
      text, [](char a, char b) { return is_digit(a) && b == '-'; }, false, true);
  std::vector<std::string> tokens;
  for (const std::string_view token : split_words(text)) tokens.emplace_back(token);
  return tokens;
}

void BleuCounts::add(std::string_view hypothesis_line, std::string_view reference_line) {
  const std::vector<std::string> h = tokenize_13a(hypothesis_line), r = tokenize_13a(reference_line);
  hypothesis += static_cast<std::int64_t>(h.size());
  reference += static_cast<std::int64_t>(r.size());
  for (std::size_t n = 1; n <= totals.size(); ++n) {
    const Counts known = count_ngrams(r, n);
    for (const auto& [ngram, count] : count_ngrams(h, n)) {
      totals[n - 1] += count;
      const auto found = known.find(ngram);
      if (found != known.end()) matches[n - 1] += std::min(count, found->second);
    }
  }
}

double BleuCounts::brevity_penalty() const {
  if (hypothesis == 0) return 0;
  return hypothesis >= reference ? 1 : std::exp(1 - static_cast<double>(reference) / static_cast<double>(hypothesis));
}

double BleuCounts::score() const {
  double sum = 0;
  for (std::size_t n = 0; n < totals.size(); ++n) {
    if (matches[n] == 0 || totals[n] == 0) return 0;
    sum += std::log(static_cast<double>(matches[n]) / static_cast<double>(totals[n]));
  }
  return 100 * brevity_penalty() * std::exp(sum / static_cast<double>(totals.size()));
}

double corpus_bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  if (hypotheses.size() != references.size()) {
    fail("bleu", "each hypothesis needs one reference",
         fmt::format("{} hypotheses, {} references", hypotheses.size(), references.size()));
  }
  BleuCounts counts;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) counts.add(hypotheses[i], references[i]);
  return counts.score();
}

}  // namespace tandem
