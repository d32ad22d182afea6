// Language models on the shared training loop; see language_task.h.
#include "language_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/nn/init.h>

#include "progress.h"

namespace tandem::examples {
namespace {

constexpr std::int64_t kEvaluationStreams = 10;
constexpr const char* kVocabularyKey = "vocabulary";

/// The mean over all tokens of a batch: logits [T, B, tokens], targets [T, B].
Tensor token_loss(const Tensor& logits, const Array& targets) {
  return cross_entropy(reshape(logits, {-1, logits.shape(2)}), targets.reshape({-1}));
}

nn::LstmLanguageModel& language_model(nn::Module& model) { return dynamic_cast<nn::LstmLanguageModel&>(model); }

}  // namespace

LanguageModeling::LanguageModeling(TextCorpus corpus, const LanguageTaskOptions& options)
    : corpus_(std::move(corpus)), options_(options) {
  nn::lstm_language_model(options_.model, corpus_.vocabulary.size());  // throws for an unknown name
  if (corpus_.train.defined()) {
    corpus_.vocabulary.check(corpus_.train, "training text");
    training_.emplace(corpus_.train, LanguageBatchOptions{.batch = options_.batch, .steps = options_.bptt});
  }
  for (const Array* part : {&corpus_.valid, &corpus_.test}) {
    if (!part->defined()) continue;
    corpus_.vocabulary.check(*part, part == &corpus_.valid ? "validation text" : "test text");
    if (part->size() < 2)
      fail(corpus_.name, "the part to evaluate on is too short", fmt::format("{} token", part->size()));
  }
}

std::string LanguageModeling::data_checksum() const { return fmt::format("{:016x}", checksum(corpus_)); }

std::string LanguageModeling::describe_data() const {
  const Array &train = corpus_.train, &valid = corpus_.valid, &test = corpus_.test;
  std::string text = corpus_.name + ": ";
  text += train.defined() ? fmt::format("{} training", with_commas(train.size())) : "";
  text += valid.defined() ? fmt::format(", {} validation", with_commas(valid.size())) : "";
  text += fmt::format("{}{} test {}{}, vocabulary {}", train.defined() ? " and " : "", with_commas(test.size()),
                      name(corpus_.vocabulary.kind()), train.defined() ? "" : ", the whole text",
                      with_commas(corpus_.vocabulary.size()));
  const double unknown = corpus_.unknown_share(test);
  if (unknown > 0) text += fmt::format(", {:.2g} % of the test part unknown", 100 * unknown);
  return text + (valid.defined() ? "; test_loss and perplexity are of the validation part" : "");
}

std::string LanguageModeling::main_metric() const {
  return corpus_.vocabulary.kind() == TokenKind::words ? "perplexity" : "test_loss";
}

std::shared_ptr<nn::Module> LanguageModeling::make_model(std::uint64_t seed) {
  nn::seed(seed);
  return std::make_shared<nn::LstmLanguageModel>(nn::lstm_language_model(options_.model, corpus_.vocabulary.size()));
}

void LanguageModeling::start_epoch(std::uint64_t /*seed*/, std::int64_t /*epoch*/, std::int64_t batch) {
  if (!training_) fail(corpus_.name, "the text is only to evaluate on", "it has no training part");
  training_->set_position(batch);
  before_ = after_ = {};
}

bool LanguageModeling::next_batch() {
  std::optional<LanguageBatch> batch = training_->next();
  if (!batch) return false;
  batch_ = *std::move(batch);
  before_ = after_;
  return true;
}

Tensor LanguageModeling::loss(nn::Module& model) {
  const nn::LanguageModelOutput output = language_model(model)(batch_.inputs, before_);
  after_ = output.state.detach();
  return token_loss(output.logits, batch_.targets);
}

NamedArrays LanguageModeling::carried() const {
  NamedArrays arrays;
  for (std::size_t i = 0; i < after_.layers.size(); ++i) {
    arrays.push_back({fmt::format("layers.{}.h", i), after_.layers[i].h.value()});
    arrays.push_back({fmt::format("layers.{}.c", i), after_.layers[i].c.value()});
  }
  return arrays;
}

void LanguageModeling::set_carried(const NamedArrays& arrays) {
  nn::LanguageModelState state;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::string expected = fmt::format("layers.{}.{}", i / 2, i % 2 == 0 ? "h" : "c");
    if (arrays[i].name != expected || arrays.size() % 2 != 0) {
      fail("carried state", "not that of an LSTM language model",
           fmt::format("entry {} of {} is \"{}\", must be \"{}\"", i, arrays.size(), arrays[i].name, expected));
    }
    if (i % 2 == 0)
      state.layers.push_back({Tensor(arrays[i].array), {}});
    else
      state.layers.back().c = Tensor(arrays[i].array);
  }
  after_ = std::move(state);
}

void LanguageModeling::run_training_batches(nn::Module& model, std::uint64_t /*seed*/, std::int64_t count) {
  LanguageBatches batches(corpus_.train, training_->options());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::optional<LanguageBatch> batch = batches.next();
    if (!batch) return;
    model(batch->inputs);
  }
}

double LanguageModeling::mean_loss(nn::Module& model, const Array& ids) const {
  LanguageBatches batches(ids, {.batch = std::min(kEvaluationStreams, ids.size() - 1), .steps = options_.bptt});
  nn::LanguageModelState state;
  double sum = 0;
  while (const std::optional<LanguageBatch> batch = batches.next()) {
    const nn::LanguageModelOutput output = language_model(model)(batch->inputs, state);
    state = output.state;
    sum += token_loss(output.logits, batch->targets).item() * static_cast<double>(batch->targets.size());
  }
  return sum / static_cast<double>(batches.tokens());
}

Metrics LanguageModeling::evaluate(nn::Module& model) {
  const double loss = mean_loss(model, corpus_.valid.defined() ? corpus_.valid : corpus_.test);
  return {{"test_loss", loss}, {"perplexity", std::exp(loss)}};
}

Metrics LanguageModeling::evaluate_at_end(nn::Module& model) {
  if (!corpus_.valid.defined()) return {};
  return {{"test_perplexity", std::exp(mean_loss(model, corpus_.test))}};
}

Metadata LanguageModeling::model_metadata() const { return {{kVocabularyKey, corpus_.vocabulary.to_text()}}; }

Vocabulary saved_vocabulary(const Safetensors& content, const std::string& path) {
  const auto found = content.metadata.find(kVocabularyKey);
  const Array* table = content.find("encoder.weight");
  if (found == content.metadata.end() || table == nullptr)
    fail(path, "not a language model", found == content.metadata.end() ? "it has no vocabulary" : "it has no encoder");
  Vocabulary vocabulary = Vocabulary::from_text(found->second, path + ": vocabulary");
  if (vocabulary.size() != table->shape(0)) {
    fail(path, "the vocabulary is that of another checkpoint",
         fmt::format("{} tokens, the model has {}", vocabulary.size(), table->shape(0)));
  }
  return vocabulary;
}

}  // namespace tandem::examples
