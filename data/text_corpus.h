// TextCorpus: a text as ids, in parts for training, validation and testing: Penn Treebank, or any text file.
// Not here: reading UTF-8 (text.h), ids (vocabulary.h), batches (language_batches.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <tandem/core/array.h>
#include <tandem/data/vocabulary.h>

namespace tandem {

/// A text in order. Arrays are handles, so it is cheap to copy.
struct TextCorpus {
  std::string name;       ///< "ptb"
  Vocabulary vocabulary;  ///< of the training part, unless it was given
  Array train;            ///< ids i64 [N]; undefined when the whole text is the test part
  Array test;             ///< ids i64 [N]
  Array valid;            ///< the same; undefined when there is no such part

  /// Share of <unk> in a part, 0 to 1.
  double unknown_share(const Array& part) const;
};

struct TextCorpusOptions {
  TokenKind kind = TokenKind::words;
  std::int64_t min_count = 1;  ///< rarer tokens of the training part become <unk>
  double test = 0.1;           ///< share of a single file that is its test part, its end
  /// In place of the training part's: that of a trained model. It brings its kind.
  std::optional<Vocabulary> vocabulary = {};
  /// checksum() of the corpus that this model was trained on: any other text is its test part as a whole.
  std::optional<std::uint64_t> training_checksum = {};
};

/// Penn Treebank as Mikolov et al. 2010 prepared it: ptb.train.txt, ptb.valid.txt, ptb.test.txt in `folder`, in its
/// subfolder ptb, or (empty) in ptb below data_home(). By words 929,589 / 73,760 / 82,430 tokens, one <eos> a line, of
/// 10,000 different ones; one warning where a part has another number. Throws Error for a missing file (what was looked
/// for, where), one that is empty or not UTF-8.
TextCorpus penn_treebank(const std::filesystem::path& folder = {}, const TextCorpusOptions& options = {});
/// True when penn_treebank finds all files.
bool has_penn_treebank(const std::filesystem::path& folder = {});

/// A text file; the last options.test of its bytes, from the next character on (of words: from the next line on, or the
/// next word where no line follows), is the test part. Throws Error naming the file when it cannot be read, is empty or
/// not UTF-8, or is too short to be divided; UsageError when options.test is not within (0, 1).
TextCorpus text_corpus(const std::filesystem::path& file, const TextCorpusOptions& options = {});

/// 64 bits that change with any token of the vocabulary and any id of the training part (FNV-1a).
std::uint64_t checksum(const TextCorpus& corpus);

}  // namespace tandem
