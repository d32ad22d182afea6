// The parts of language_model: the state that is carried from batch to batch, the loss over a text, what a model file
// must hold, drawing tokens.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/core/io/file.h>
#include <tandem/data/language_batches.h>
#include <tandem/nn/init.h>
#include <tandem/nn/model_file.h>
#include <tandem/nn/models/make_model.h>

#include <fmt/format.h>

#include "core/temporary_folder.h"
#include "examples/language_model/text.h"
#include "examples/language_model/trained.h"
#include "examples/tiny_text.h"
#include "nn/error_text.h"

using namespace tandem;
using namespace tandem::test;

namespace {

train::Options options_of(const TemporaryFolder& folder, int lines) {
  write_file(folder / "a.txt", tiny_text(lines, 1));
  train::Options o;
  o.dataset = "text";
  o.data = (folder / "a.txt").string();
  return o;
}

language::Text tiny_characters(const TemporaryFolder& folder, int lines) {
  return language::open_text(options_of(folder, lines), {.kind = TokenKind::characters});
}

/// Weights that depend on the state, so that a wrong state is seen.
language::TrainedModel random_model(const Vocabulary& vocabulary) {
  language::TrainedModel trained{
      .model = std::make_shared<nn::LstmLanguageModel>(nn::lstm_language_model("char-lstm", vocabulary.size())),
      .vocabulary = vocabulary,
      .training_checksum = {}};
  Generator random(5);
  for (NamedTensor& p : trained.model->parameters()) nn::init::uniform(p.tensor, -0.3, 0.3, random);
  trained.model->evaluate();
  return trained;
}

}  // namespace

TEST_CASE("the state goes on from batch to batch, also through the entries of a checkpoint") {
  const TemporaryFolder folder;
  const language::Text text = tiny_characters(folder, 20);
  const auto model = random_model(text.corpus.vocabulary).model;
  const NoGradGuard no_grad;
  LanguageBatches batches(text.corpus.train, {.batch = 4, .steps = 8});
  const LanguageBatch first = *batches.next(), second = *batches.next();
  const auto loss = [&](const LanguageBatch& batch, const nn::LanguageModelState& state) {
    return language::token_loss((*model)(batch.inputs, state).logits, batch.targets).item();
  };
  const nn::LanguageModelState state = (*model)(first.inputs, {}).state.detach();
  const NamedArrays carried = language::to_arrays(state);
  REQUIRE(carried.size() == 4);
  CHECK(carried[0].name == "layers.0.h");
  CHECK(carried[3].name == "layers.1.c");
  CHECK(loss(second, language::to_state(carried)) == loss(second, state));
  CHECK(loss(second, {}) != loss(second, state));
  CHECK(language::to_arrays({}).empty());
  CHECK(language::to_state({}).layers.empty());
  CHECK(error_text([&] { language::to_state({carried[1]}); }) ==
        "carried state: not that of an LSTM language model: entry 0 of 1 is \"layers.0.c\", must be \"layers.0.h\"");
}

TEST_CASE("the loss of a model that knows nothing is the logarithm of the vocabulary") {
  const TemporaryFolder folder;
  const language::Text text = tiny_characters(folder, 20);
  const auto model = random_model(text.corpus.vocabulary).model;
  for (NamedTensor& p : model->parameters()) nn::init::constant(p.tensor, 0);
  const NoGradGuard no_grad;
  const train::Metrics metrics = language::measure(*model, text.watched(), 8);
  const auto tokens = static_cast<double>(text.corpus.vocabulary.size());
  CHECK(report::value_of(metrics, "test_loss") == doctest::Approx(std::log(tokens)));
  CHECK(report::value_of(metrics, "perplexity") == doctest::Approx(tokens));
  CHECK(text.metric() == "test_loss");
}

TEST_CASE("the loss over a text does not depend on how many tokens are read at a time") {
  const TemporaryFolder folder;
  const language::Text text = tiny_characters(folder, 40);
  const auto model = random_model(text.corpus.vocabulary).model;
  const NoGradGuard no_grad;
  const auto loss = [&](std::int64_t bptt) {
    return report::value_of(language::measure(*model, text.corpus.train, bptt), "test_loss");
  };
  const double whole = loss(1000);
  CHECK(loss(7) == doctest::Approx(whole).epsilon(1e-6));
  CHECK(loss(1) == doctest::Approx(whole).epsilon(1e-6));
  CHECK(whole > std::log(18.0));  // random weights are worse than guessing: the state matters
}

TEST_CASE("--validation: the end of the training part, which the checksum still is of") {
  const TemporaryFolder folder;
  train::Options o = options_of(folder, 40);
  const language::Text whole = language::open_text(o, {.kind = TokenKind::characters});
  o.validation = 100;
  const language::Text parted = language::open_text(o, {.kind = TokenKind::characters});
  CHECK(parted.checksum == whole.checksum);
  const auto ids = whole.corpus.train.to_vector<std::int64_t>(), front = parted.corpus.train.to_vector<std::int64_t>(),
             back = parted.corpus.valid.to_vector<std::int64_t>();
  CHECK(front == std::vector<std::int64_t>(ids.begin(), ids.end() - 100));
  CHECK(back == std::vector<std::int64_t>(ids.end() - 100, ids.end()));
  CHECK(parted.corpus.test.to_vector<std::int64_t>() == whole.corpus.test.to_vector<std::int64_t>());
  o.validation = static_cast<std::int64_t>(ids.size()) - 1;
  CHECK(error_text([&] { language::open_text(o, {.kind = TokenKind::characters}); })
            .starts_with("--validation: is " + std::to_string(ids.size() - 1) + ", must be in [2, " +
                         std::to_string(ids.size() - 2) + "]: the training part has "));
  write_tiny_ptb(folder / "ptb");
  o.dataset = "ptb";
  o.data = (folder / "ptb").string();
  CHECK(error_text([&] { language::open_text(o, {}); }) ==
        "--validation: ptb has a validation part of its own; leave it out");
}

TEST_CASE("a model file is enough to go on with; what else lies there is named") {
  const TemporaryFolder folder;
  const language::Text text = tiny_characters(folder, 20);
  const language::TrainedModel trained = random_model(text.corpus.vocabulary);
  const std::filesystem::path file = folder / "model.safetensors";
  nn::ModelInfo info = language::describe_model("char-lstm", text);
  nn::save_model(file, *trained.model, info);
  const language::TrainedModel again = language::load(file);
  CHECK(again.vocabulary == trained.vocabulary);
  CHECK(language::sample_text(again, {.tokens = 30}) == language::sample_text(trained, {.tokens = 30}));
  CHECK(language::saved_model_name(file) == "char-lstm");
  const std::string path = file.string();
  info.vocabulary += "extra\n";
  nn::save_model(file, *trained.model, info);
  const std::int64_t tokens = text.corpus.vocabulary.size();
  CHECK(error_text([&] { language::load(file); }) ==
        fmt::format("{}: the vocabulary is that of another model: {} tokens, the model has {}", path, tokens + 1,
                    tokens));
  info.vocabulary.clear();
  nn::save_model(file, *trained.model, info);
  CHECK(error_text([&] { language::load(file); }) ==
        path + ": not a language model of this program: it has no vocabulary");
  nn::save_model(file, *nn::make_model("resnet20"));
  CHECK(error_text([&] { language::load(file); }) == path + ": not a language model: it is \"resnet20\"");
  CHECK_FALSE(language::saved_model_name(file).has_value());
}

TEST_CASE("a text goes on after its prompt, character by character as in one piece") {
  const TemporaryFolder folder;
  const language::TrainedModel trained = random_model(tiny_characters(folder, 20).corpus.vocabulary);
  const std::string all = language::sample_text(trained, {.tokens = 12, .temperature = 0, .prompt = "the c"});
  CHECK(all.size() == 17);
  CHECK(all.starts_with("the c"));
  CHECK(language::sample_text(trained, {.tokens = 8, .temperature = 0, .prompt = all.substr(0, 9)}) == all);
  CHECK(language::sample_text(trained, {.tokens = 1, .prompt = "t#e"})
            .starts_with("t\xEF\xBF\xBD"
                         "e"));

  const Vocabulary words = Vocabulary::build("the cat sees a dog\n", {.kind = TokenKind::words});
  const language::TrainedModel speaker = random_model(words);
  const std::string line = language::sample_text(speaker, {.tokens = 3, .temperature = 0, .prompt = " the  cat"});
  CHECK(line.starts_with("the cat"));
  CHECK(language::sample_text(speaker, {.tokens = 1, .prompt = "the cow\n"}).starts_with("the <unk>\n"));
  CHECK(error_text([&] { language::sample_text(speaker, {.prompt = "  "}); }) == "--prompt: holds no word");
}

TEST_CASE("drawing a token: by hand") {
  const Array logits = Array::from({0, std::log(3.0), -1e9}, {1, 1, 3});
  CHECK(language::draw_token(logits, 0, 0.1) == 1);
  CHECK(language::draw_token(logits, 1, 0.2) == 0);  // p = 1/4, 3/4, 0
  CHECK(language::draw_token(logits, 1, 0.26) == 1);
  CHECK(language::draw_token(logits, 0.5, 0.2) == 1);  // p = 1/10, 9/10, 0
  CHECK(language::draw_token(logits, 1, 0.9999999) == 1);
  CHECK(error_text([&] { language::draw_token(logits, -1, 0); }) ==
        "--temperature: is -1, must be finite and at least 0; 0 draws the most likely token");
}
