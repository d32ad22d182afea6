// Decoding: translations from a Transformer, token by token with cached keys and values. Greedy, or by beam search.
// Sentences that have ended leave the batch. Read next: transformer.h for start() and step().
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/nn/models/transformer.h>

namespace tandem::nn {

struct DecodeOptions {
  std::int64_t begin = 2, end = 3;  ///< ids that begin and end a translation
  /// Tokens that a translation may have more than its sentence, as far as positions go; it may always have one.
  std::int64_t more = 50;
};

/// For each sentence of source [B, S] (padded, with its end) the tokens that are the likeliest one after the other,
/// without begin and end. The model decodes in evaluation behaviour, and is then as it was.
/// Throws Error for more < 0, and as step() does.
std::vector<std::vector<std::int64_t>> greedy_decode(Transformer& model, const Array& source,
                                                     const DecodeOptions& options = {});

struct BeamOptions {
  std::int64_t begin = 2, end = 3, more = 50;  ///< as in DecodeOptions
  std::int64_t beams = 4;
  double length_power = 0.6;  ///< 0: probabilities alone, which favours short translations
};

/// The best translation y of each sentence x that `beams` hypotheses find, by
///   score(y) = log p(y | x) / ((5 + |y|) / 6)^length_power,   |y| with its end
/// (Wu et al. 2016, "Google's neural machine translation system", eq. 14, without coverage; 0.6 and 4 beams are Vaswani
/// et al. 2017). A sentence is done once `beams` hypotheses have ended, or no open one can become better than the best
/// that has. Hypotheses cut at the most tokens count as they are. The model's behaviour and errors are greedy_decode's;
/// also throws Error for beams < 1 and length_power < 0.
std::vector<std::vector<std::int64_t>> beam_decode(Transformer& model, const Array& source,
                                                   const BeamOptions& options = {});

}  // namespace tandem::nn
