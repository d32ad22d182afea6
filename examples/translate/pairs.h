// Pairs: what translation is trained and measured on: parallel text as subwords that a model has room for, the loss per
// target token, and BLEU of translations.
// Not here: reading and dividing text (data/parallel_text.h), subwords (data/byte_pairs.h), the model
// (nn/models/transformer.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/data/byte_pairs.h>
#include <tandem/data/parallel_text.h>
#include <tandem/data/sentence_batches.h>
#include <tandem/nn/models/decode.h>
#include <tandem/train/train.h>

namespace translation {

/// The options of this program alone.
struct Own {
  std::string from = "de", to = "en";  ///< languages
  std::string source, target;          ///< two files of one's own
  std::int64_t tokens = 1536;          ///< of a batch at most; see SentenceBatchOptions
  std::int64_t merges = 6000;          ///< of byte pairs, learned from the training text
  double dropout = 0.3;
  std::int64_t beams = 4;  ///< of --evaluate and --translate
  bool translates = false;
};

/// Names for --model: "transformer-tiny" (for tests), "transformer-small", "transformer-base" (Vaswani et al. 2017,
/// table 3), all with one table of subwords for both languages and the output.
const std::vector<std::string>& model_names();
/// Throws UsageError for a name that is not known.
tandem::nn::TransformerOptions architecture(const std::string& name, std::int64_t tokens, double dropout);

/// Throws Error "FILE:LINE: a sentence of 300 tokens is longer than the model's 256 positions" when a sentence with its
/// end (or begin) does not fit.
void check_positions(const std::vector<std::int64_t>& ids, std::int64_t positions, const std::string& file,
                     std::int64_t line);
/// All pairs of a text, each checked as check_positions does.
tandem::SentencePairs encode(const tandem::ParallelText& text, const tandem::BytePairs& codes, std::int64_t positions);

/// Both languages together: subwords learned from the training text, or those that are given.
struct Pairs {
  tandem::TranslationSets sets;
  tandem::BytePairs codes;
  tandem::nn::TransformerOptions architecture;
  tandem::SentencePairs train, validation;

  std::uint64_t checksum() const { return tandem::checksum(sets.train); }
  std::string describe(const tandem::train::Options& options, const Own& own) const;
};

/// The pairs that --data, or --source and --target mean; with --init in the subwords of that model. Throws Error naming
/// file and line for a sentence longer than the model's positions, in the test set too; UsageError for a sentence
/// longer than a batch, and subwords of --init beside --merges.
Pairs open_pairs(const tandem::train::CommandLine& line, const Own& own);

/// Mean cross-entropy of the batch's target tokens.
tandem::Tensor token_loss(tandem::nn::Transformer& model, const tandem::SentenceBatch& batch, double label_smoothing);

/// Batches that are translated rather than trained on.
tandem::SentenceBatches test_batches(tandem::SentencePairs pairs, std::int64_t positions);

/// test_loss and perplexity: cross-entropy without smoothing, in nats per target token with its end; bleu: of greedy
/// translations, with beams > 0 of those by beam search. `text` is what the batches were made of.
tandem::train::Metrics measure(tandem::nn::Transformer& model, tandem::SentenceBatches& batches,
                               const tandem::ParallelText& text, const tandem::BytePairs& codes,
                               std::int64_t beams = 0);

}  // namespace translation
