// A language model as a task: the state that is carried from batch to batch, the loss over a text, drawing tokens.
#include <doctest/doctest.h>

#include <cmath>

#include <tandem/autograd/record.h>
#include <tandem/core/file.h>
#include <tandem/nn/init.h>

#include "core/temporary_folder.h"
#include "examples/common/language_sample.h"
#include "examples/common/language_task.h"
#include "examples/tiny_text.h"
#include "nn/error_text.h"

using namespace tandem;
using namespace tandem::examples;
using namespace tandem::test;

namespace {

LanguageModeling tiny_task(const TemporaryFolder& folder) {
  write_file(folder / "a.txt", tiny_text(20, 1));
  return LanguageModeling(text_corpus(folder / "a.txt", {.kind = TokenKind::characters}),
                          {.model = "char-lstm", .batch = 4, .bptt = 8});
}

}  // namespace

TEST_CASE("the state goes on from batch to batch, can be given back, and starts from zeros with an epoch") {
  const TemporaryFolder folder;
  LanguageModeling task = tiny_task(folder);
  const auto model = task.make_model(3);
  model->evaluate();
  task.start_epoch(0, 0, 0);
  REQUIRE(task.next_batch());
  CHECK(task.examples() == 32);
  const double first = task.loss(*model).item();
  CHECK(task.loss(*model).item() == first);
  const NamedArrays carried = task.carried();
  REQUIRE(carried.size() == 4);
  CHECK(carried[0].name == "layers.0.h");
  CHECK(carried[3].name == "layers.1.c");
  REQUIRE(task.next_batch());
  const double second = task.loss(*model).item();

  LanguageModeling other = tiny_task(folder);
  other.start_epoch(0, 0, 1);
  other.set_carried(carried);
  REQUIRE(other.next_batch());
  CHECK(other.loss(*model).item() == second);
  other.start_epoch(0, 0, 1);
  REQUIRE(other.next_batch());
  CHECK(other.loss(*model).item() != second);
  other.start_epoch(0, 1, 0);
  REQUIRE(other.next_batch());
  CHECK(other.loss(*model).item() == first);
  CHECK(error_text([&] { other.set_carried({carried[1]}); }) ==
        "carried state: not that of an LSTM language model: entry 0 of 1 is \"layers.0.c\", must be \"layers.0.h\"");
}

TEST_CASE("the loss of a model that knows nothing is the logarithm of the vocabulary") {
  const TemporaryFolder folder;
  LanguageModeling task = tiny_task(folder);
  const auto model = task.make_model(3);
  for (NamedTensor& p : model->parameters()) nn::init::constant(p.tensor, 0);
  model->evaluate();
  const NoGradGuard no_grad;
  const Metrics metrics = task.evaluate(*model);
  const auto tokens = static_cast<double>(
      saved_vocabulary({{{"encoder.weight", model->parameters()[0].tensor.value()}}, task.model_metadata()}, "m")
          .size());
  CHECK(value_of(metrics, "test_loss") == doctest::Approx(std::log(tokens)));
  CHECK(value_of(metrics, "perplexity") == doctest::Approx(tokens));
  CHECK(task.evaluate_at_end(*model).empty());
  CHECK(task.main_metric() == "test_loss");
}

TEST_CASE("the loss over a text does not depend on how many tokens are read at a time") {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", tiny_text(40, 1));
  const TextCorpus corpus = text_corpus(folder / "a.txt", {.kind = TokenKind::characters, .test = 0.5});
  const auto task = [&](std::int64_t bptt) {
    return LanguageModeling(corpus, {.model = "char-lstm", .batch = 2, .bptt = bptt});
  };
  LanguageModeling pieces = task(7), whole = task(1000);
  const auto model = pieces.make_model(3);
  Generator random(5);
  for (NamedTensor& p : model->parameters()) nn::init::uniform(p.tensor, -0.3, 0.3, random);
  model->evaluate();
  const NoGradGuard no_grad;
  const double loss = value_of(whole.evaluate(*model), "test_loss");
  CHECK(value_of(pieces.evaluate(*model), "test_loss") == doctest::Approx(loss).epsilon(1e-6));
  CHECK(value_of(task(1).evaluate(*model), "test_loss") == doctest::Approx(loss).epsilon(1e-6));
  CHECK(loss > std::log(18.0));  // random weights are worse than guessing: the state matters
}

TEST_CASE("drawing a token: by hand") {
  const Array logits = Array::from({0, std::log(3.0), -1e9}, {1, 1, 3});
  CHECK(draw_token(logits, 0, 0.1) == 1);
  CHECK(draw_token(logits, 1, 0.2) == 0);  // p = 1/4, 3/4, 0
  CHECK(draw_token(logits, 1, 0.26) == 1);
  CHECK(draw_token(logits, 0.5, 0.2) == 1);  // p = 1/10, 9/10, 0
  CHECK(draw_token(logits, 1, 0.9999999) == 1);
  CHECK(error_text([&] { draw_token(logits, -1, 0); }) ==
        "--temperature: is -1, must be finite and at least 0; 0 draws the most likely token");
}
