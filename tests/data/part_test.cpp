// Parts of batches: what several workers have is together what one has, each example once.
#include <doctest/doctest.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/data/language_batches.h>
#include <tandem/data/loader.h>
#include <tandem/data/sentence_batches.h>
#include <tandem/data/synthetic.h>

using namespace tandem;

namespace {

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("parts of a Loader's batches are its batches") {
  const Dataset set = synthetic({.train = 50, .test = 1}).train;
  for (const int workers : {0, 2}) {
    for (const int count : {2, 3, 4}) {
      const auto loader = [&](Part part) {
        return Loader(
            set, {.batch = 22, .seed = 3, .workers = workers, .transform = standard_augmentation(set), .part = part});
      };
      Loader whole = loader({});
      std::vector<Loader> parts;
      for (int i = 0; i < count; ++i) parts.push_back(loader({i, count}));
      for (int epoch = 0; epoch < 2; ++epoch) {
        for (const Batch& batch : whole) {
          std::int64_t at = 0;
          for (int i = 0; i < count; ++i) {
            if (batch.images.shape(0) != 22 && parts[static_cast<std::size_t>(i)].batches() != 3) FAIL("batches");
            const auto part = parts[static_cast<std::size_t>(i)].next();
            REQUIRE(part.has_value());
            const std::int64_t end = at + part->labels.size();
            CHECK(identical(part->images, batch.images.slice(0, at, end)));
            CHECK(identical(part->labels, batch.labels.slice(0, at, end)));
            at = end;
          }
          CHECK(at == batch.labels.size());
        }
        for (Loader& part : parts) part.start_epoch(epoch + 1);
      }
    }
  }
  CHECK(message([&] {
          Loader(set, {.batch = 16, .part = {0, 3}});
        }) == "loader: a batch of 2 has nothing for each of 3 parts: data set \"" + set.name +
                  "\" has 50 images, batch 16; take another batch, or drop_last");
  CHECK_NOTHROW(Loader(set, {.batch = 16, .drop_last = true, .part = {0, 3}}));
}

TEST_CASE("parts of language batches are streams of their own") {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < 101; ++i) ids.push_back(i);
  const Array text = Array::from(ids, {101});
  LanguageBatches whole(text, {.batch = 5, .steps = 7});
  LanguageBatches left(text, {.batch = 5, .steps = 7, .part = {0, 2}}),
      right(text, {.batch = 5, .steps = 7, .part = {1, 2}});
  CHECK(left.batches() == whole.batches());
  while (const auto batch = whole.next()) {
    const auto a = left.next(), b = right.next();
    REQUIRE((a && b));
    CHECK(identical(a->inputs, batch->inputs.slice(1, 0, 2)));
    CHECK(identical(b->inputs, batch->inputs.slice(1, 2, 5)));
    CHECK(identical(b->targets, batch->targets.slice(1, 2, 5)));
  }
  CHECK_FALSE(left.next().has_value());
  CHECK(message([&] {
          LanguageBatches(text, {.batch = 2, .part = {0, 3}});
        }) == "language batches: there are more parts than streams: 3 parts, 2 streams; use a larger batch");
}

TEST_CASE("parts of sentence batches have each pair once") {
  SentencePairs pairs;
  Generator generator(5);
  for (std::int64_t i = 0; i < 60; ++i) {
    const auto length = static_cast<std::size_t>(2 + generator.bits() % 5);
    pairs.source.emplace_back(length, 4 + i);
    pairs.target.emplace_back(length + 1, 4 + i);
  }
  SentenceBatches whole(pairs, {.tokens = 60, .seed = 1});
  std::vector<SentenceBatches> parts;
  for (int i = 0; i < 3; ++i) parts.emplace_back(pairs, SentenceBatchOptions{.tokens = 60, .seed = 1, .part = {i, 3}});
  while (const auto batch = whole.next()) {
    std::vector<std::int64_t> rows;
    std::int64_t tokens = 0;
    for (SentenceBatches& each : parts) {
      const auto part = each.next();
      REQUIRE(part.has_value());
      rows.insert(rows.end(), part->rows.begin(), part->rows.end());
      tokens += part->tokens;
      CHECK(part->source.shape(0) == static_cast<std::int64_t>(part->rows.size()));
    }
    CHECK(rows == batch->rows);
    CHECK(tokens == batch->tokens);
  }
  CHECK(message([&] {
          SentenceBatches(pairs, {.tokens = 8, .part = {0, 4}});
        }) ==
        "sentence batches: a batch of 2 has nothing for each of 4 parts: tokens 8, sentences 256; allow more tokens");
}
