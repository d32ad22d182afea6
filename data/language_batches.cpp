// See language_batches.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/language_batches.h>

namespace tandem {

LanguageBatches::LanguageBatches(const Array& ids, const LanguageBatchOptions& options) : options_(options) {
  require_dtype("language batches", "ids", ids, DType::i64);
  if (ids.rank() != 1) fail("language batches", "ids must be [N]", "ids " + to_string(ids.shape()));
  if (options.batch < 1 || options.steps < 1) {
    fail("language batches", "batch and steps must be at least 1",
         fmt::format("batch {}, steps {}", options.batch, options.steps));
  }
  if (ids.size() <= options.batch) {
    fail("language batches", "the text is too short",
         fmt::format("{} tokens for {} streams", ids.size(), options.batch), "use a smaller batch or a longer text");
  }
  if (options.part.count > options.batch) {
    fail("language batches", "there are more parts than streams",
         fmt::format("{} parts, {} streams", options.part.count, options.batch), "use a larger batch");
  }
  ids_ = ids.contiguous();
  length_ = (ids.size() - 1) / options.batch;
}

std::optional<LanguageBatch> LanguageBatches::next() {
  const std::int64_t begin = position_ * options_.steps, steps = std::min(options_.steps, length_ - begin);
  if (steps <= 0) return std::nullopt;
  const std::int64_t first = options_.part.begin(options_.batch);
  const std::int64_t streams = options_.part.end(options_.batch) - first;
  LanguageBatch batch{Array::empty({steps, streams}, DType::i64), Array::empty({steps, streams}, DType::i64)};
  const auto* ids = ids_.data<std::int64_t>();
  auto *inputs = batch.inputs.data<std::int64_t>(), *targets = batch.targets.data<std::int64_t>();
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t b = 0; b < streams; ++b) {
      const std::int64_t place = (first + b) * length_ + begin + t;
      inputs[t * streams + b] = ids[place];
      targets[t * streams + b] = ids[place + 1];
    }
  }
  ++position_;
  return batch;
}

void LanguageBatches::set_position(std::int64_t position) {
  if (position < 0 || position > batches()) {
    fail("language batches", "no such position",
         fmt::format("{} asked for, a pass has {} batches", position, batches()));
  }
  position_ = position;
}

}  // namespace tandem
