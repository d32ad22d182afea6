// See text.h.
#include "text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/data/language_batches.h>

using namespace tandem;

namespace language {
namespace {

constexpr std::int64_t kEvaluationStreams = 10;

TextCorpus read_corpus(const train::Options& o, TextCorpusOptions corpus) {
  std::error_code ignored;
  if (!o.data.empty() && !std::filesystem::exists(o.data, ignored)) {
    const bool is_begun = !o.resume.empty() || !o.evaluate.empty();
    fail("--data", "there is no such file or folder", o.data,
         is_begun ? "the run began elsewhere: give its new path with --data" : "");
  }
  if (o.dataset == "ptb") return penn_treebank(o.data, corpus);
  if (o.data.empty()) fail_usage("--dataset text", "the file is not given", {}, "give it with --data");
  corpus.min_count = corpus.kind == TokenKind::words ? 2 : 1;
  return text_corpus(o.data, corpus);
}

/// The last `count` tokens of the training part become the validation part.
void hold_out(TextCorpus& corpus, std::int64_t count) {
  if (count == 0 || !corpus.train.defined()) return;
  if (corpus.valid.defined())
    fail_usage("--validation", fmt::format("{} has a validation part of its own", corpus.name), {}, "leave it out");
  const std::int64_t left = corpus.train.size() - count;
  if (count < 2 || left < 2)
    fail_usage("--validation", fmt::format("is {}, must be in [2, {}]", count, corpus.train.size() - 2),
               fmt::format("the training part has {} tokens", corpus.train.size()));
  corpus.valid = corpus.train.slice(0, left, left + count).contiguous();
  corpus.train = corpus.train.slice(0, 0, left).contiguous();
}

}  // namespace

std::string dataset_of(const std::string& data) {
  std::error_code ignored;
  return std::filesystem::is_directory(data, ignored) ? "ptb" : "text";
}

Text open_text(const train::Options& options, TextCorpusOptions wanted) {
  Text text{.corpus = read_corpus(options, std::move(wanted))};
  text.checksum = checksum(text.corpus);
  hold_out(text.corpus, options.validation);
  for (const Array* part : {&text.corpus.valid, &text.corpus.test}) {
    if (part->defined() && part->size() < 2)
      fail(text.corpus.name, "the part to evaluate on is too short", fmt::format("{} token", part->size()));
  }
  return text;
}

std::string Text::describe() const {
  const auto count = [](const Array& part) { return train::with_commas(part.size()); };
  const Array &train = corpus.train, &valid = corpus.valid, &test = corpus.test;
  std::string text = corpus.name + ": ";
  text += train.defined() ? fmt::format("{} training", count(train)) : "";
  text += valid.defined() ? fmt::format(", {} validation", count(valid)) : "";
  text += fmt::format("{}{} test {}{}, vocabulary {}", train.defined() ? " and " : "", count(test),
                      name(corpus.vocabulary.kind()), train.defined() ? "" : ", the whole text",
                      train::with_commas(corpus.vocabulary.size()));
  const double unknown = corpus.unknown_share(test);
  if (unknown > 0) text += fmt::format(", {:.2g} % of the test part unknown", 100 * unknown);
  return text + (valid.defined() ? "; test_loss and perplexity are of the validation part" : "");
}

std::string Text::metric() const { return corpus.vocabulary.kind() == TokenKind::words ? "perplexity" : "test_loss"; }

Tensor token_loss(const Tensor& logits, const Array& targets) {
  return cross_entropy(reshape(logits, {-1, logits.shape(2)}), targets.reshape({-1}));
}

train::Metrics measure(nn::LstmLanguageModel& model, const Array& ids, std::int64_t bptt) {
  const Part ranks = train::workers()->part();
  LanguageBatches batches(ids,
                          {.batch = std::min(std::max<std::int64_t>(kEvaluationStreams, ranks.count), ids.size() - 1),
                           .steps = bptt,
                           .part = ranks});
  nn::LanguageModelState state;
  double sum = 0;
  std::int64_t tokens = 0;
  while (const std::optional<LanguageBatch> batch = batches.next()) {
    const nn::LanguageModelOutput output = model(batch->inputs, state);
    state = output.state;
    sum += token_loss(output.logits, batch->targets).item() * static_cast<double>(batch->targets.size());
    tokens += batch->targets.size();
  }
  train::add_up(sum, tokens);
  const double loss = sum / static_cast<double>(tokens);
  return {{"test_loss", loss}, {"perplexity", std::exp(loss)}};
}

NamedArrays to_arrays(const nn::LanguageModelState& state) {
  NamedArrays arrays;
  for (std::size_t i = 0; i < state.layers.size(); ++i) {
    arrays.push_back({fmt::format("layers.{}.h", i), state.layers[i].h.value()});
    arrays.push_back({fmt::format("layers.{}.c", i), state.layers[i].c.value()});
  }
  return arrays;
}

nn::LanguageModelState to_state(const NamedArrays& arrays) {
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
  return state;
}

}  // namespace language
