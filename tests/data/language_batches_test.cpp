// Language-model batches by hand: streams, targets, the short last batch, positions, and every error.
#include <doctest/doctest.h>

#include <limits>

#include <vector>

#include <nn/error_text.h>
#include <tandem/data/language_batches.h>

using namespace tandem;

namespace {

using Ids = std::vector<std::int64_t>;

Ids values(const Array& array) { return array.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("nine tokens, two streams, three steps") {
  LanguageBatches batches(Array::arange(9), {.batch = 2, .steps = 3});
  CHECK(batches.batches() == 2);
  CHECK(batches.tokens() == 8);
  const auto first = batches.next();
  REQUIRE(first);
  CHECK(first->inputs.shape() == Shape{3, 2});
  CHECK(values(first->inputs) == Ids{0, 4, 1, 5, 2, 6});
  CHECK(values(first->targets) == Ids{1, 5, 2, 6, 3, 7});
  CHECK(batches.position() == 1);
  const auto last = batches.next();
  REQUIRE(last);
  CHECK(last->inputs.shape() == Shape{1, 2});
  CHECK(values(last->inputs) == Ids{3, 7});
  CHECK(values(last->targets) == Ids{4, 8});
  CHECK_FALSE(batches.next());
  CHECK(batches.position() == 2);

  batches.set_position(1);
  CHECK(values(batches.next()->inputs) == Ids{3, 7});
  batches.set_position(0);
  CHECK(values(batches.next()->targets) == values(first->targets));
}

TEST_CASE("each target is the next token, and every stream is read through") {
  for (const std::int64_t tokens : {12, 50, 101}) {
    for (const std::int64_t steps : {1, 4, 200}) {
      LanguageBatches batches(Array::arange(tokens), {.batch = 3, .steps = steps});
      Ids seen(static_cast<std::size_t>(tokens), 0);
      std::int64_t count = 0, pieces = 0;
      while (const auto batch = batches.next()) {
        const Ids inputs = values(batch->inputs), targets = values(batch->targets);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          CHECK(targets[i] == inputs[i] + 1);
          ++seen[static_cast<std::size_t>(inputs[i])];
        }
        count += batch->inputs.size();
        ++pieces;
      }
      CHECK(pieces == batches.batches());
      CHECK(count == batches.tokens());
      CHECK(count == (tokens - 1) / 3 * 3);
      for (std::int64_t i = 0; i < tokens; ++i) CHECK(seen[static_cast<std::size_t>(i)] == (i < count ? 1 : 0));
    }
  }
}

TEST_CASE("what does not fit") {
  const auto make = [](const Array& ids, const LanguageBatchOptions& options) {
    return error_text([&] { LanguageBatches(ids, options); });
  };
  CHECK(make(Array::arange(5), {.batch = 5, .steps = 2}) ==
        "language batches: the text is too short: 5 tokens for 5 streams; use a smaller batch or a longer text");
  CHECK(make(Array::arange(5), {.batch = 4, .steps = 2}) == "no error");
  CHECK(make(Array::arange(5), {.batch = 0, .steps = 2}) ==
        "language batches: batch and steps must be at least 1: batch 0, steps 2");
  CHECK(make(Array::zeros({2, 3}, DType::i64), {}) == "language batches: ids must be [N]: ids [2, 3]");
  CHECK(make(Array::zeros({6}), {}).find("language batches: ids is f32, must be i64") == 0);
  LanguageBatches batches(Array::arange(9), {.batch = 2, .steps = 3});
  CHECK(error_text([&] { batches.set_position(3); }) ==
        "language batches: no such position: 3 asked for, a pass has 2 batches");
}

TEST_CASE("steps beyond the text: one batch of all") {
  LanguageBatches batches(Array::arange(9), {.batch = 2, .steps = std::numeric_limits<std::int64_t>::max()});
  CHECK(batches.batches() == 1);
  CHECK(batches.next()->inputs.shape() == Shape{4, 2});
  CHECK_FALSE(batches.next());
}
