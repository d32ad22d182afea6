// See trained.h.
#include "trained.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/nn/model_file.h>

using namespace tandem;

namespace language {
namespace {

/// The data set and path that are evaluated on: what the command line gives of them decides; else they are the run's.
train::Options with_data(const train::CommandLine& line) {
  train::Options o = line.options();
  if (line.is_given("--dataset")) {
    if (!line.is_given("--data") && dataset_of(o.data) != o.dataset) o.data.clear();
  } else if (line.is_given("--data")) {
    o.dataset = dataset_of(o.data);
  }
  return o;
}

/// Ids that a text is drawn after: those of the prompt, else a line break.
std::vector<std::int64_t> beginning(const Vocabulary& vocabulary, const std::string& prompt) {
  const bool is_words = vocabulary.kind() == TokenKind::words;
  if (prompt.empty()) return {vocabulary.id(is_words ? kEndOfLine : "\n")};
  std::vector<std::int64_t> ids;
  for_each_token(prompt, vocabulary.kind(), [&](std::string_view token) { ids.push_back(vocabulary.id(token)); });
  if (is_words && prompt.back() != '\n') ids.pop_back();  // the line goes on
  if (ids.empty()) fail_usage("--prompt", "holds no word");
  return ids;
}

}  // namespace

nn::ModelInfo describe_model(const std::string& model, const Text& text) {
  nn::ModelInfo info;
  info.vocabulary = text.corpus.vocabulary.to_text();
  info.extra["model"] = model;
  return info;
}

std::optional<std::string> saved_model_name(const std::filesystem::path& path) {
  const nn::ModelInfo info = nn::read_model_info(path);
  const auto found = info.extra.find("model");
  const std::vector<std::string>& known = nn::lstm_language_model_names();
  const bool is_known =
      found != info.extra.end() && std::find(known.begin(), known.end(), found->second) != known.end();
  return is_known ? std::optional(found->second) : std::nullopt;
}

TrainedModel load(const std::filesystem::path& path) {
  const std::string file = path.string();
  const auto [module, info] = nn::load_model(path);
  TrainedModel trained{.model = std::dynamic_pointer_cast<nn::LstmLanguageModel>(module),
                       .vocabulary = {},
                       .training_checksum = train::training_checksum(info)};
  if (!trained.model) fail(file, "not a language model", fmt::format("it is \"{}\"", info.name));
  if (info.vocabulary.empty()) fail(file, "not a language model of this program", "it has no vocabulary");
  trained.vocabulary = Vocabulary::from_text(info.vocabulary, file + ": vocabulary");
  const std::int64_t tokens = trained.model->options().tokens;
  if (trained.vocabulary.size() != tokens) {
    fail(file, "the vocabulary is that of another model",
         fmt::format("{} tokens, the model has {}", trained.vocabulary.size(), tokens));
  }
  trained.model->evaluate();
  return trained;
}

int evaluate(const train::CommandLine& line, std::int64_t bptt) {
  const train::Options o = with_data(line);
  const NoGradGuard no_grad;
  std::vector<std::pair<std::string, train::Metrics>> all;
  std::optional<Text> text;
  for (const train::SavedModel& saved : train::saved_models(o.evaluate)) {
    const TrainedModel trained = load(saved.path);
    if (!text || !(text->corpus.vocabulary == trained.vocabulary)) {
      text = open_text(o, {.vocabulary = trained.vocabulary, .training_checksum = trained.training_checksum});
      if (!o.json) fmt::print("data       {}\n", text->describe());
      std::fflush(stdout);
    }
    train::Metrics metrics = measure(*trained.model, text->watched(), bptt);
    if (text->corpus.valid.defined())
      metrics.emplace_back("test_perplexity", measure(*trained.model, text->corpus.test, bptt).back().second);
    all.emplace_back(saved.run, metrics);
  }
  return train::print_evaluations(o, all);
}

int sample(const train::Options& options, const SampleOptions& sample) {
  for (const train::SavedModel& saved : train::models_to_use(options)) {
    const TrainedModel trained = load(saved.path);
    for (const std::uint64_t seed : options.seeds) {
      const std::string title = options.seeds.size() > 1 ? fmt::format("{}, seed {}", saved.run, seed) : saved.run;
      SampleOptions one = sample;
      one.seed = seed;
      fmt::print("{}:\n{}\n", title, sample_text(trained, one));
      std::fflush(stdout);
    }
  }
  return train::kExitDone;
}

void check_temperature(double temperature) {
  if (temperature >= 0 && std::isfinite(temperature)) return;
  fail_usage("--temperature", fmt::format("is {}, must be finite and at least 0", temperature), {},
             "0 draws the most likely token");
}

std::int64_t draw_token(const Array& logits, double temperature, double chance) {
  check_temperature(temperature);
  std::vector<double> weights = logits.to_vector<double>();
  const auto best = std::max_element(weights.begin(), weights.end());
  if (temperature == 0) return best - weights.begin();
  const double largest = *best;
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp((weight - largest) / temperature);
  double left = chance * sum;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if ((left -= weights[i]) < 0) return static_cast<std::int64_t>(i);
  return best - weights.begin();  // rounding left something over
}

std::string sample_text(const TrainedModel& trained, const SampleOptions& options) {
  if (options.tokens < 1) fail_usage("--sample", fmt::format("is {}, must be at least 1", options.tokens));
  const NoGradGuard no_grad;
  Generator random(options.seed);
  nn::LanguageModelState state;
  const std::vector<std::int64_t> begin = beginning(trained.vocabulary, options.prompt);
  std::vector<std::int64_t> shown = options.prompt.empty() ? std::vector<std::int64_t>() : begin;
  Array inputs = Array::from(begin, {static_cast<std::int64_t>(begin.size()), 1});
  for (std::int64_t i = 0; i < options.tokens; ++i) {
    const nn::LanguageModelOutput output = (*trained.model)(inputs, state);
    state = output.state;
    const Array& logits = output.logits.value();
    const Array last = logits.slice(0, logits.shape(0) - 1, logits.shape(0));
    const std::int64_t id = draw_token(last, options.temperature, random.uniform());
    shown.push_back(id);
    inputs = Array::full({1, 1}, static_cast<double>(id), DType::i64);
  }
  return trained.vocabulary.decode(Array::from(shown, {static_cast<std::int64_t>(shown.size())}));
}

}  // namespace language
