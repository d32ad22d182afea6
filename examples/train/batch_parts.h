// Parts of a batch, from which Instruments measure how examples differ: views of the batch's arrays, along the axis of
// its examples. A program with batches of its own has rows_of() and rows() beside them, found by their argument;
// without those a batch is one part, and nothing is known of noise. Not here: what is measured
// (optim/study/instruments.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <tandem/data/loader.h>
#include <tandem/data/sentence_batches.h>
#include <tandem/optim/study/instruments.h>

namespace tandem::train {

inline constexpr std::int64_t kInstrumentParts = 8;  ///< of a batch that has as many rows

/// Products with the Hessian cost most of a measurement: they are of a quarter of the batch.
inline InstrumentOptions instrument_options() { return {.curvature_parts = kInstrumentParts / 4}; }

/// Rows of a batch: images, sentences.
inline std::int64_t rows_of(const Batch& batch) { return batch.images.shape(0); }
inline std::int64_t rows_of(const SentenceBatch& batch) { return batch.output.shape(0); }

/// Rows begin to end, excluding end.
inline Batch rows(const Batch& batch, std::int64_t begin, std::int64_t end) {
  return {batch.images.slice(0, begin, end), batch.labels.slice(0, begin, end)};
}
/// With the padding of the whole batch; tokens are those of output that are not `padding`.
inline SentenceBatch rows(const SentenceBatch& batch, std::int64_t begin, std::int64_t end, std::int64_t padding = 0) {
  SentenceBatch part{batch.source.slice(0, begin, end),
                     batch.input.slice(0, begin, end),
                     batch.output.slice(0, begin, end),
                     {batch.rows.begin() + begin, batch.rows.begin() + end}};
  for (const std::int64_t token : part.output.to_vector<std::int64_t>()) part.tokens += token != padding;
  return part;
}

/// The parts of the batches that make one step: kInstrumentParts in all or more, where there are as many rows. `loss`
/// gets a part and the number of its first row in its batch; `examples` is what a loss is the mean over.
template <class B, class Examples>
std::vector<BatchPart> parts_of(const std::vector<B>& batches,
                                const std::function<Tensor(const B& part, std::int64_t first)>& loss,
                                Examples examples) {
  const auto count = static_cast<std::int64_t>(batches.size());
  std::vector<BatchPart> parts;
  const auto add = [&](const B& part, std::int64_t begin) {
    parts.push_back({[loss, part, begin] { return loss(part, begin); }, examples(part)});
  };
  for (const B& batch : batches) {
    if constexpr (requires { rows(batch, rows_of(batch), rows_of(batch)); }) {
      const std::int64_t size = rows_of(batch);
      const std::int64_t n = std::min(size, (kInstrumentParts + count - 1) / count);
      for (std::int64_t i = 0; i < n; ++i) add(rows(batch, i * size / n, (i + 1) * size / n), i * size / n);
    } else {
      add(batch, 0);
    }
  }
  return parts;
}

}  // namespace tandem::train
