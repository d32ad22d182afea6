// LanguageBatches: a text as B parallel streams, read `steps` tokens at a time, the targets one token later. The states
// of a recurrent model go on from one batch to the next: truncated back-propagation through time.
//
//   text a b c d e f g h i, batch 2, steps 3:      inputs  a e   targets  b f     then  d h  ->  e i
//   stream 0 is a b c d -> b c d e,                        b f            c g
//   stream 1 is e f g h -> f g h i                         c g            d h
//
// Not here: ids (vocabulary.h).
#pragma once

#include <cstdint>
#include <optional>

#include <tandem/core/array.h>
#include <tandem/core/workers/part.h>

namespace tandem {

struct LanguageBatchOptions {
  std::int64_t batch = 20;  ///< streams, B
  std::int64_t steps = 35;  ///< tokens of each stream in a batch, T; the last batch has the rest
  Part part = {};           ///< the streams that are read here: those of one of several workers
};

struct LanguageBatch {
  Array inputs, targets;  ///< ids i64 [T, B], B the streams of the part
};

/// A pass over N ids has floor((N - 1) / B) tokens a stream; up to B - 1 at the end are left out. There is nothing
/// random in it: every pass is the same.
class LanguageBatches {
 public:
  /// ids i64 [N]. Throws Error when they are not, batch or steps is below 1, N <= batch, or there are more
  /// parts than streams.
  LanguageBatches(const Array& ids, const LanguageBatchOptions& options);

  const LanguageBatchOptions& options() const { return options_; }
  /// In a pass.
  std::int64_t batches() const { return (length_ - 1) / options_.steps + 1; }
  /// Targets in a pass.
  std::int64_t tokens() const { return length_ * options_.batch; }

  /// The next batch; nothing at the end of the pass.
  std::optional<LanguageBatch> next();
  /// Batches handed out in this pass; set_position with it goes on exactly there. Throws Error when it is not in
  /// [0, batches()].
  std::int64_t position() const { return position_; }
  void set_position(std::int64_t position);

 private:
  Array ids_;
  LanguageBatchOptions options_;
  std::int64_t length_ = 0;  // of a stream
  std::int64_t position_ = 0;
};

}  // namespace tandem
