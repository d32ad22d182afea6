// SentenceBatches: pairs of sentences in batches of similar length, so that little of a batch is padding.
//
//   pairs, shuffled -> sorted by length -> cut where a batch reaches its budget -> batches, shuffled
//
// Which pairs share a batch, and the order of batches, depend on (seed, epoch) alone; how many batches an epoch has, on
// the lengths alone. Not here: text (byte_pairs.h); pictures have a Loader (loader.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/saturate.h>
#include <tandem/core/workers/part.h>

namespace tandem {

/// Ids of sentences, without begin and end; target[i] translates source[i].
struct SentencePairs {
  std::vector<std::vector<std::int64_t>> source, target;

  std::int64_t size() const { return static_cast<std::int64_t>(source.size()); }
};

struct SentenceBatchOptions {
  std::int64_t tokens = 2048;    ///< of a batch at most: pairs times the longest sentence of either side, with padding
  std::int64_t sentences = 256;  ///< pairs of a batch at most
  bool shuffle = true;           ///< false: by length, equal ones in their order
  std::uint64_t seed = 0;
  std::int64_t padding = 0, begin = 2, end = 3;  ///< ids
  Part part = {};  ///< the pairs of every batch that are made here: those of one of several workers
};

/// S and T are the longest of the batch, with end.
struct SentenceBatch {
  Array source;                    ///< i64 [B, S]: the sentence, end, padding
  Array input;                     ///< i64 [B, T]: begin, the translation, padding
  Array output;                    ///< i64 [B, T]: the translation, end, padding: what follows each token of input
  std::vector<std::int64_t> rows;  ///< which pairs these are
  std::int64_t tokens = 0;         ///< of output, without padding
};

class SentenceBatches {
 public:
  /// Throws Error when there are no pairs, the sides differ in number, an option is out of range, or a pair alone is
  /// longer than the budget, or a batch has fewer pairs than there are parts.
  explicit SentenceBatches(SentencePairs pairs, const SentenceBatchOptions& options = {});

  /// Batches in an epoch.
  std::int64_t batches() const { return static_cast<std::int64_t>(ends_.size()); }
  /// The next batch, or nothing at the end of the epoch (and from then on, until start_epoch()).
  std::optional<SentenceBatch> next();
  /// Makes the next batch the first of this epoch (from 0). Throws Error when negative.
  void start_epoch(std::int64_t epoch);
  /// Batches handed out since the start of epoch 0; the largest number where it is more.
  std::int64_t position() const { return saturating_add(saturating_multiply(epoch_, batches()), handed_out_); }
  /// Goes on where another's position() was this: for resuming. Throws Error when negative.
  void set_position(std::int64_t position);

  const SentenceBatchOptions& options() const { return options_; }
  const SentencePairs& pairs() const { return pairs_; }

 private:
  /// Lengths with end, the first by which pairs are sorted.
  std::int64_t target_length(std::int64_t row) const;
  std::int64_t source_length(std::int64_t row) const;
  std::vector<std::int64_t> sorted(std::vector<std::int64_t> rows) const;
  void prepare_order();
  SentenceBatch make(std::size_t number) const;

  SentencePairs pairs_;
  SentenceBatchOptions options_;
  std::vector<std::size_t> ends_;  // of each batch in the sorted rows
  std::int64_t epoch_ = 0, handed_out_ = 0, order_epoch_ = -1;
  std::vector<std::int64_t> rows_, order_;  // of order_epoch_: pairs by length, and the order of batches
};

/// i64 [B, T] of sentences of different lengths, T being the longest: `padding` behind the shorter ones.
Array pad_sentences(const std::vector<std::vector<std::int64_t>>& sentences, std::int64_t padding);

/// i64 of the shape of `ids`, 1 where they are padding: what attention takes as hidden_keys.
Array padding_mask(const Array& ids, std::int64_t padding);

}  // namespace tandem
