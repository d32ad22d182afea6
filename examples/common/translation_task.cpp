// Translation on the shared training loop; see translation_task.h.
#include "translation_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/data/bleu.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/decode.h>

#include "progress.h"
#include "translator.h"

namespace tandem::examples {
namespace {

constexpr std::int64_t kTestTokens = 1024, kTestSentences = 64;  // of a batch that is translated

nn::Transformer& transformer(nn::Module& model) { return dynamic_cast<nn::Transformer&>(model); }

const TranslationOptions& checked(const TranslationOptions& o) {
  const auto refuse = [](const char* option, const std::string& is, const char* must) {
    fail_usage(option, fmt::format("is {}, must be {}", is, must));
  };
  if (o.merges < 0) refuse("--merges", std::to_string(o.merges), "at least 0");
  if (o.tokens < 1) refuse("--tokens", std::to_string(o.tokens), "at least 1");
  if (o.beams < 1) refuse("--beams", std::to_string(o.beams), "at least 1");
  if (!(o.dropout >= 0 && o.dropout < 1)) refuse("--dropout", fmt::format("{}", o.dropout), "in [0, 1)");
  return o;
}

BytePairs learn(const ParallelText& text, std::int64_t merges) {
  std::vector<std::string> lines = text.source;
  lines.insert(lines.end(), text.target.begin(), text.target.end());
  return BytePairs::learn(lines, {.merges = merges});
}

/// Mean cross-entropy of the batch's target tokens.
Tensor token_loss(nn::Transformer& model, const SentenceBatch& batch, double label_smoothing) {
  const Tensor logits = model(batch.source, batch.input);
  return cross_entropy(reshape(logits, {-1, logits.shape(2)}), batch.output.reshape({-1}),
                       {.label_smoothing = label_smoothing, .ignore = BytePairs::kPadding});
}

}  // namespace

Translation::Translation(TranslationSets sets, const TranslationOptions& options)
    : sets_(std::move(sets)),
      options_(checked(options)),
      codes_(options_.codes ? *options_.codes : learn(sets_.train, options_.merges)),
      architecture_(translation_model(options_.model, codes_.size(), options_.dropout)) {
  if (!options_.is_test) {
    pairs_ = encode(sets_.train);
    check_budget();
    encode(sets_.test);  // a bad line is known before training
    start_epoch(0, 0, 0);
  }
  testing_.emplace(
      encode(options_.is_test ? sets_.test : sets_.validation),
      SentenceBatchOptions{
          .tokens = std::max(kTestTokens, architecture_.positions), .sentences = kTestSentences, .shuffle = false});
}

SentencePairs Translation::encode(const ParallelText& text) const {
  SentencePairs pairs{codes_.encode(text.source), codes_.encode(text.target)};
  const std::int64_t positions = architecture_.positions;
  for (std::size_t i = 0; i < pairs.source.size(); ++i) {
    const std::int64_t line = text.first_line + static_cast<std::int64_t>(i);
    check_positions(pairs.source[i], positions, text.source_file.string(), line);
    check_positions(pairs.target[i], positions, text.target_file.string(), line);
  }
  return pairs;
}

void Translation::check_budget() const {
  for (std::size_t i = 0; i < pairs_.source.size(); ++i) {
    const std::size_t source = pairs_.source[i].size(), target = pairs_.target[i].size();
    const auto tokens = static_cast<std::int64_t>(std::max(source, target)) + 1;
    if (tokens <= options_.tokens) continue;
    const std::filesystem::path& file = source < target ? sets_.train.target_file : sets_.train.source_file;
    fail_usage("--tokens", fmt::format("is {}, a sentence alone has more", options_.tokens),
               fmt::format("{}:{} has {} with its end", file.string(),
                           sets_.train.first_line + static_cast<std::int64_t>(i), tokens));
  }
}

SentenceBatchOptions Translation::batch_options(std::uint64_t seed) const {
  return {.tokens = options_.tokens, .sentences = options_.batch, .seed = seed};
}

std::string Translation::data_checksum() const { return fmt::format("{:016x}", checksum(sets_.train)); }

std::string Translation::describe_data() const {
  const std::string languages = fmt::format("{}: {} -> {}", options_.dataset, options_.from, options_.to);
  const std::string subwords =
      fmt::format("{} subwords of {} merges", with_commas(codes_.size()), with_commas(codes_.merges()));
  if (options_.is_test)
    return fmt::format("{}, {} test pairs; {}; measured on the test set", languages, with_commas(sets_.test.size()),
                       subwords);
  return fmt::format(
      "{}, {} training, {} validation and {} test pairs; {}; batches of at most {} tokens, measured on the "
      "validation set",
      languages, with_commas(sets_.train.size()), with_commas(sets_.validation.size()), with_commas(sets_.test.size()),
      subwords, with_commas(options_.tokens));
}

Metadata Translation::model_metadata() const {
  return {{"byte_pairs", byte_pairs_checksum(codes_)}, {"from", options_.from}, {"to", options_.to}};
}

void Translation::save_files(const std::filesystem::path& folder) const { codes_.save(byte_pairs_path(folder)); }

std::shared_ptr<nn::Module> Translation::make_model(std::uint64_t seed) {
  nn::seed(seed);
  return std::make_shared<nn::Transformer>(architecture_);
}

void Translation::start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) {
  if (!training_ || training_->options().seed != seed) training_.emplace(pairs_, batch_options(seed));
  training_->set_position(epoch * training_->batches() + batch);
}

bool Translation::next_batch() {
  std::optional<SentenceBatch> batch = training_->next();
  if (!batch) return false;
  batch_ = *std::move(batch);
  return true;
}

Tensor Translation::loss(nn::Module& model) { return token_loss(transformer(model), batch_, options_.label_smoothing); }

void Translation::run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) {
  SentenceBatches batches(pairs_, batch_options(seed));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::optional<SentenceBatch> batch = batches.next();
    if (!batch) return;
    transformer(model)(batch->source, batch->input);
  }
}

Metrics Translation::evaluate(nn::Module& model) {
  nn::Transformer& network = transformer(model);
  const ParallelText& text = options_.is_test ? sets_.test : sets_.validation;
  nn::BeamOptions beam;
  beam.beams = options_.beams;
  double sum = 0, tokens = 0;
  BleuCounts bleu;
  testing_->start_epoch(0);
  while (const std::optional<SentenceBatch> batch = testing_->next()) {
    const auto count = static_cast<double>(batch->tokens);
    sum += token_loss(network, *batch, 0).item() * count;
    tokens += count;
    const auto translations =
        options_.is_test ? nn::beam_decode(network, batch->source, beam) : nn::greedy_decode(network, batch->source);
    for (std::size_t i = 0; i < translations.size(); ++i)
      bleu.add(codes_.decode(translations[i]), text.target[static_cast<std::size_t>(batch->rows[i])]);
  }
  const double loss = sum / tokens;
  return {{"test_loss", loss}, {"perplexity", std::exp(loss)}, {"bleu", bleu.score()}};
}

}  // namespace tandem::examples
