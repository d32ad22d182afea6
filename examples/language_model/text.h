// Text: what a language model is trained and measured on: the parts of a corpus, their description and checksum; the
// loss over a part, the state of the LSTM carried through it.
// Not here: reading and dividing texts (data/text_corpus.h), batches (data/language_batches.h).
#pragma once

#include <cstdint>
#include <string>

#include <tandem/core/io/safetensors.h>
#include <tandem/data/text_corpus.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/train/train.h>

namespace language {

/// A corpus as it was asked for, each part with at least one token to predict.
struct Text {
  tandem::TextCorpus corpus;
  std::uint64_t checksum = 0;  ///< of the corpus before --validation was held out

  /// What is measured while training: the validation part where there is one, else the test part.
  const tandem::Array& watched() const { return corpus.valid.defined() ? corpus.valid : corpus.test; }
  /// "text: 5,000 training and 600 test characters, vocabulary 18".
  std::string describe() const;
  /// perplexity of words, test_loss of characters.
  std::string metric() const;
};

/// "ptb" for a folder, "text" for anything else.
std::string dataset_of(const std::string& data);

/// The text that --data and --dataset mean; --validation tokens are held out at the end of a training part. Words that
/// a text file has once become <unk>, so that it is learned; Penn Treebank brings its own. Throws Error naming what is
/// missing or too short, UsageError for options that do not fit.
Text open_text(const tandem::train::Options& options, tandem::TextCorpusOptions corpus);

/// The mean cross-entropy over all tokens of a batch, in nats: logits [T, B, tokens], targets [T, B].
tandem::Tensor token_loss(const tandem::Tensor& logits, const tandem::Array& targets);

/// test_loss (nats per token) and perplexity = e^test_loss over ids i64 [N], in ten parallel streams, `bptt` tokens at
/// a time; what does not fill the streams (up to 9 tokens) is left out. The model is in evaluation behaviour.
tandem::train::Metrics measure(tandem::nn::LstmLanguageModel& model, const tandem::Array& ids, std::int64_t bptt);

/// A state as entries of a checkpoint, layers.0.h, layers.0.c, layers.1.h ..., and back. Throws Error for entries of
/// anything else.
tandem::NamedArrays to_arrays(const tandem::nn::LanguageModelState& state);
tandem::nn::LanguageModelState to_state(const tandem::NamedArrays& arrays);

}  // namespace language
