// Batches of sentences: padding, budgets, an order that depends on seed and epoch alone, positions.
#include <doctest/doctest.h>

#include <limits>

#include <algorithm>
#include <set>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/data/sentence_batches.h>

using namespace tandem;

namespace {

using Ids = std::vector<std::int64_t>;

template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

SentencePairs random_pairs(std::int64_t n) {
  Generator random(3);
  SentencePairs pairs;
  for (std::int64_t i = 0; i < n; ++i) {
    pairs.source.emplace_back(static_cast<std::size_t>(1 + random.below(20)), 10 + i);
    pairs.target.emplace_back(static_cast<std::size_t>(1 + random.below(20)), 10 + i);
  }
  return pairs;
}

std::vector<Ids> rows_of_epoch(SentenceBatches& batches) {
  std::vector<Ids> rows;
  while (const auto batch = batches.next()) rows.push_back(batch->rows);
  return rows;
}

}  // namespace

TEST_CASE("sentence batches: a batch on paper") {
  SentenceBatches batches({{{7, 8, 9}, {5}}, {{4}, {6, 6}}}, {.shuffle = false});
  CHECK(batches.batches() == 1);
  const auto batch = batches.next();
  REQUIRE(batch.has_value());
  CHECK(batch->rows == Ids{0, 1});
  CHECK(batch->source.shape() == Shape{2, 4});
  CHECK(batch->source.to_vector<std::int64_t>() == Ids{7, 8, 9, 3, 5, 3, 0, 0});
  CHECK(batch->input.to_vector<std::int64_t>() == Ids{2, 4, 0, 2, 6, 6});
  CHECK(batch->output.to_vector<std::int64_t>() == Ids{4, 3, 0, 6, 6, 3});
  CHECK(batch->tokens == 5);
  CHECK(padding_mask(batch->source, 0).to_vector<std::int64_t>() == Ids{0, 0, 0, 0, 0, 0, 1, 1});
  CHECK_FALSE(batches.next().has_value());
}

TEST_CASE("sentence batches: all pairs once an epoch, within both budgets, with little padding") {
  const SentencePairs pairs = random_pairs(500);
  SentenceBatches batches(pairs, {.tokens = 200, .sentences = 12, .seed = 4});
  std::multiset<std::int64_t> seen;
  std::int64_t numbers = 0, padding = 0, count = 0;
  while (const auto batch = batches.next()) {
    ++count;
    const std::int64_t pairs_here = batch->source.shape(0);
    CHECK(pairs_here <= 12);
    CHECK(pairs_here * std::max(batch->source.shape(1), batch->output.shape(1)) <= 200);
    seen.insert(batch->rows.begin(), batch->rows.end());
    for (const std::int64_t id : batch->output.to_vector<std::int64_t>()) padding += id == 0 ? 1 : 0;
    numbers += batch->output.size();
    for (std::size_t i = 0; i < batch->rows.size(); ++i)
      CHECK(batch->source.at({static_cast<std::int64_t>(i), 0}) == static_cast<double>(10 + batch->rows[i]));
  }
  CHECK(count == batches.batches());
  CHECK(seen.size() == 500);
  CHECK(std::set<std::int64_t>(seen.begin(), seen.end()).size() == 500);
  CHECK(static_cast<double>(padding) < 0.1 * static_cast<double>(numbers));
}

TEST_CASE("sentence batches: the order is that of (seed, epoch), the number of batches that of the lengths") {
  const SentencePairs pairs = random_pairs(300);
  const SentenceBatchOptions options{.tokens = 120, .seed = 4};
  SentenceBatches a(pairs, options), b(pairs, options);
  const auto first = rows_of_epoch(a);
  a.start_epoch(1);
  const auto second = rows_of_epoch(a);
  CHECK(first != second);
  CHECK(first.size() == second.size());
  b.start_epoch(1);
  CHECK(rows_of_epoch(b) == second);
  b.start_epoch(0);
  CHECK(rows_of_epoch(b) == first);
  SentenceBatches other(pairs, {.tokens = 120, .seed = 5});
  CHECK(other.batches() == a.batches());
  CHECK(rows_of_epoch(other) != first);
  // Goes on at a position.
  b.set_position(a.batches() + 2);
  CHECK(b.next()->rows == second[2]);
  CHECK(b.position() == a.batches() + 3);
}

TEST_CASE("sentence batches: what is refused") {
  CHECK(error_of([] { SentenceBatches({}, {}); }) ==
        "sentence batches: each sentence needs a translation, and one pair is the least: 0 sentences, 0 translations");
  CHECK(error_of([] { SentenceBatches({{{1}}, {}}, {}); }).find("1 sentences, 0 translations") != std::string::npos);
  CHECK(error_of([] {
          SentenceBatches({{{1}}, {{1}}}, {.tokens = 0});
        }) == "sentence batches: tokens and sentences must be positive: tokens 0, sentences 256");
  CHECK(error_of([] {
          SentenceBatches({{{1}, {4}}, {{1}, {1, 2, 3}}}, {.tokens = 3});
        }) ==
        "sentence batches: a pair is longer than the budget: pair 1 (from 0) has 4 tokens, with end, the budget is 3");
  SentenceBatches batches({{{1}}, {{1}}}, {});
  CHECK(error_of([&] { batches.start_epoch(-1); }) == "sentence batches: an epoch must not be negative: -1 given");
  batches.start_epoch(std::numeric_limits<std::int64_t>::max());
  CHECK(batches.position() == std::numeric_limits<std::int64_t>::max());
  CHECK(error_of([&] { batches.set_position(-1); }) == "sentence batches: a position must not be negative: -1 given");
}
