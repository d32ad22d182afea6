// BLEU of a corpus (Papineni et al. 2002) as sacrebleu counts it: 13a tokenisation, one reference, no smoothing,
// n-grams up to 4, cased. Signature: nrefs:1|case:mixed|eff:no|tok:13a|smooth:none. Not here: BLEU of single sentences.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// The tokens of mteval-v13a, which WMT uses: a few entities are read back, punctuation stands alone, full stop and
/// comma only where no digit is beside them, a dash after a digit.
std::vector<std::string> tokenize_13a(std::string_view line);

/// Sums over sentences, from which the score follows.
struct BleuCounts {
  std::array<std::int64_t, 4> matches = {};    ///< n-grams that the reference has too, each as often at most as there
  std::array<std::int64_t, 4> totals = {};     ///< n-grams of the hypotheses
  std::int64_t hypothesis = 0, reference = 0;  ///< tokens

  void add(std::string_view hypothesis_line, std::string_view reference_line);

  /// min(1, e^(1 - reference / hypothesis)); 0 without a token.
  double brevity_penalty() const;
  /// 100 brevity_penalty (prod_n matches_n / totals_n)^(1/4), in [0, 100]; 0 where a count is 0.
  double score() const;
};

/// The score of hypotheses[i] against references[i]. Throws Error when their numbers differ.
double corpus_bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references);

}  // namespace tandem
