// See sentence_batches.h.
#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/data/sentence_batches.h>

namespace tandem {

namespace {

constexpr std::uint64_t kOrderStream = 0x73656e74;  // "sent"

std::vector<std::int64_t> permutation(const SentenceBatchOptions& options, std::int64_t epoch, std::uint64_t of,
                                      std::int64_t n) {
  if (options.shuffle) {
    const auto number = static_cast<std::uint64_t>(epoch);
    return Generator(options.seed, kOrderStream).split(number, of).permutation(n).to_vector<std::int64_t>();
  }
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

SentenceBatches::SentenceBatches(SentencePairs pairs, const SentenceBatchOptions& options)
    : pairs_(std::move(pairs)), options_(options) {
  if (pairs_.source.size() != pairs_.target.size() || pairs_.size() == 0) {
    fail("sentence batches", "each sentence needs a translation, and one pair is the least",
         fmt::format("{} sentences, {} translations", pairs_.source.size(), pairs_.target.size()));
  }
  if (options.tokens < 1 || options.sentences < 1) {
    fail("sentence batches", "tokens and sentences must be positive",
         fmt::format("tokens {}, sentences {}", options.tokens, options.sentences));
  }
  const std::vector<std::int64_t> rows = sorted(permutation(options, 0, 0, pairs_.size()));
  std::int64_t count = 0, longest = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t length = std::max(source_length(rows[i]), target_length(rows[i]));
    if (length > options.tokens) {
      fail("sentence batches", "a pair is longer than the budget",
           fmt::format("pair {} (from 0) has {} tokens, with end, the budget is {}", rows[i], length, options.tokens));
    }
    longest = std::max(longest, length);
    if (count == options.sentences || saturating_multiply(count + 1, longest) > options.tokens) {
      ends_.push_back(i);
      count = 0;
      longest = length;
    }
    ++count;
  }
  ends_.push_back(rows.size());
  for (std::size_t i = 0, begin = 0; i < ends_.size(); begin = ends_[i++]) {
    const auto size = static_cast<std::int64_t>(ends_[i] - begin);
    if (size < options.part.count) {
      fail("sentence batches", fmt::format("a batch of {} has nothing for each of {} parts", size, options.part.count),
           fmt::format("tokens {}, sentences {}", options.tokens, options.sentences), "allow more tokens");
    }
  }
}

std::int64_t SentenceBatches::target_length(std::int64_t row) const {
  return static_cast<std::int64_t>(pairs_.target[static_cast<std::size_t>(row)].size()) + 1;
}

std::int64_t SentenceBatches::source_length(std::int64_t row) const {
  return static_cast<std::int64_t>(pairs_.source[static_cast<std::size_t>(row)].size()) + 1;
}

/// Both lengths are in the key, so that the lengths of a batch, and where batches end, are the same for every order.
std::vector<std::int64_t> SentenceBatches::sorted(std::vector<std::int64_t> rows) const {
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return std::pair(target_length(a), source_length(a)) < std::pair(target_length(b), source_length(b));
  });
  return rows;
}

void SentenceBatches::prepare_order() {
  if (order_epoch_ == epoch_) return;
  order_epoch_ = epoch_;
  rows_ = sorted(permutation(options_, epoch_, 0, pairs_.size()));
  order_ = permutation(options_, epoch_, 1, batches());
}

std::optional<SentenceBatch> SentenceBatches::next() {
  if (handed_out_ == batches()) return std::nullopt;
  prepare_order();
  return make(static_cast<std::size_t>(order_[static_cast<std::size_t>(handed_out_++)]));
}

void SentenceBatches::start_epoch(std::int64_t epoch) {
  if (epoch < 0) fail("sentence batches", "an epoch must not be negative", fmt::format("{} given", epoch));
  epoch_ = epoch;
  handed_out_ = 0;
}

void SentenceBatches::set_position(std::int64_t position) {
  if (position < 0) fail("sentence batches", "a position must not be negative", fmt::format("{} given", position));
  epoch_ = position / batches();
  handed_out_ = position % batches();
}

SentenceBatch SentenceBatches::make(std::size_t number) const {
  SentenceBatch batch;
  std::vector<std::vector<std::int64_t>> source, input, output;
  const std::size_t first = number == 0 ? 0 : ends_[number - 1];
  const auto pairs = static_cast<std::int64_t>(ends_[number] - first);
  const std::size_t begin = first + static_cast<std::size_t>(options_.part.begin(pairs));
  const std::size_t end = first + static_cast<std::size_t>(options_.part.end(pairs));
  for (std::size_t i = begin; i < end; ++i) {
    batch.rows.push_back(rows_[i]);
    const auto row = static_cast<std::size_t>(rows_[i]);
    source.push_back(pairs_.source[row]);
    source.back().push_back(options_.end);
    output.push_back(pairs_.target[row]);
    output.back().push_back(options_.end);
    input.push_back(pairs_.target[row]);
    input.back().insert(input.back().begin(), options_.begin);
    batch.tokens += target_length(rows_[i]);
  }
  batch.source = pad_sentences(source, options_.padding);
  batch.input = pad_sentences(input, options_.padding);
  batch.output = pad_sentences(output, options_.padding);
  return batch;
}

Array pad_sentences(const std::vector<std::vector<std::int64_t>>& sentences, std::int64_t padding) {
  std::size_t longest = 0;
  for (const auto& sentence : sentences) longest = std::max(longest, sentence.size());
  std::vector<std::int64_t> ids;
  ids.reserve(sentences.size() * longest);
  for (const auto& sentence : sentences) {
    ids.insert(ids.end(), sentence.begin(), sentence.end());
    ids.insert(ids.end(), longest - sentence.size(), padding);
  }
  return Array::from(ids, {static_cast<std::int64_t>(sentences.size()), static_cast<std::int64_t>(longest)});
}

Array padding_mask(const Array& ids, std::int64_t padding) {
  std::vector<std::int64_t> mask = ids.to_vector<std::int64_t>();
  for (std::int64_t& id : mask) id = id == padding ? 1 : 0;
  return Array::from(mask, ids.shape());
}

}  // namespace tandem
