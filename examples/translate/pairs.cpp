// See pairs.h.
#include "pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/data/bleu.h>
#include <tandem/nn/model_file.h>
#include <tandem/train/ranks.h>

using namespace tandem;

namespace translation {
namespace {

constexpr std::int64_t kTestTokens = 1024, kTestSentences = 64;  // of a batch that is translated

TranslationSets read_sets(const train::Options& o, const Own& own) {
  if (o.dataset == "files") return hold_out(read_parallel_text(own.source, own.target));
  return multi30k({.folder = o.data, .from = own.from, .to = own.to});
}

/// Of --init, so that its weights mean the same subwords; else learned.
BytePairs subwords(const train::CommandLine& line, const Own& own, const ParallelText& text) {
  const train::Options& o = line.options();
  const std::string saved = o.init.empty() || o.new_head ? std::string() : nn::read_model_info(o.init).vocabulary;
  if (!saved.empty()) {
    line.refuse({"--merges"}, "is not used with --init: the subwords are its model's");
    return BytePairs::from_text(saved, o.init.string() + ": subwords");
  }
  std::vector<std::string> lines = text.source;
  lines.insert(lines.end(), text.target.begin(), text.target.end());
  return BytePairs::learn(lines, {.merges = own.merges});
}

/// Throws UsageError for a training pair that --tokens is too small for.
void check_budget(const SentencePairs& pairs, const ParallelText& text, std::int64_t most) {
  for (std::size_t i = 0; i < pairs.source.size(); ++i) {
    const std::size_t source = pairs.source[i].size(), target = pairs.target[i].size();
    const auto tokens = static_cast<std::int64_t>(std::max(source, target)) + 1;
    if (tokens <= most) continue;
    const std::filesystem::path& file = source < target ? text.target_file : text.source_file;
    fail_usage("--tokens", fmt::format("is {}, a sentence alone has more", most),
               fmt::format("{}:{} has {} with its end", file.string(), text.first_line + static_cast<std::int64_t>(i),
                           tokens));
  }
}

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = {"transformer-base", "transformer-small", "transformer-tiny"};
  return names;
}

nn::TransformerOptions architecture(const std::string& name, std::int64_t tokens, double dropout) {
  nn::TransformerOptions options = nn::small_transformer(tokens, tokens);
  if (name == "transformer-base") {
    options = {.source_tokens = tokens, .target_tokens = tokens};
  } else if (name == "transformer-tiny") {
    options.width = 32;
    options.heads = 2;
    options.feedforward = 64;
    options.encoder_layers = options.decoder_layers = 1;
    options.positions = 64;
  } else if (name != "transformer-small") {
    fail_usage("--model", fmt::format("\"{}\" is not known", name),
               fmt::format("known are {}", fmt::join(model_names(), ", ")));
  }
  options.shared_vocabulary = true;
  options.padding = BytePairs::kPadding;
  options.dropout = dropout;
  return options;
}

void check_positions(const std::vector<std::int64_t>& ids, std::int64_t positions, const std::string& file,
                     std::int64_t line) {
  const auto tokens = static_cast<std::int64_t>(ids.size()) + 1;
  if (tokens <= positions) return;
  fail(fmt::format("{}:{}", file, line),
       fmt::format("a sentence of {} tokens is longer than the model's {} positions", tokens, positions), {},
       "cut it, or remove it");
}

SentencePairs encode(const ParallelText& text, const BytePairs& codes, std::int64_t positions) {
  SentencePairs pairs{codes.encode(text.source), codes.encode(text.target)};
  for (std::size_t i = 0; i < pairs.source.size(); ++i) {
    const std::int64_t line = text.first_line + static_cast<std::int64_t>(i);
    check_positions(pairs.source[i], positions, text.source_file.string(), line);
    check_positions(pairs.target[i], positions, text.target_file.string(), line);
  }
  return pairs;
}

Pairs open_pairs(const train::CommandLine& line, const Own& own) {
  const train::Options& o = line.options();
  TranslationSets sets = read_sets(o, own);
  BytePairs codes = subwords(line, own, sets.train);
  const nn::TransformerOptions model = architecture(o.model, codes.size(), own.dropout);
  SentencePairs train = encode(sets.train, codes, model.positions);
  check_budget(train, sets.train, own.tokens);
  SentencePairs validation = encode(sets.validation, codes, model.positions);
  encode(sets.test, codes, model.positions);  // a bad line is known before training
  return {std::move(sets), std::move(codes), model, std::move(train), std::move(validation)};
}

std::string Pairs::describe(const train::Options& options, const Own& own) const {
  return fmt::format(
      "{}: {} -> {}, {} training, {} validation and {} test pairs; {} subwords of {} merges; batches of at most {} "
      "tokens, measured on the validation set",
      options.dataset, own.from, own.to, train::with_commas(sets.train.size()),
      train::with_commas(sets.validation.size()), train::with_commas(sets.test.size()),
      train::with_commas(codes.size()), train::with_commas(codes.merges()), train::with_commas(own.tokens));
}

Tensor token_loss(nn::Transformer& model, const SentenceBatch& batch, double label_smoothing) {
  const Tensor logits = model(batch.source, batch.input);
  return cross_entropy(reshape(logits, {-1, logits.shape(2)}), batch.output.reshape({-1}),
                       {.label_smoothing = label_smoothing, .ignore = BytePairs::kPadding});
}

SentenceBatches test_batches(SentencePairs pairs, std::int64_t positions) {
  return SentenceBatches(std::move(pairs),
                         {.tokens = std::max(kTestTokens, positions), .sentences = kTestSentences, .shuffle = false});
}

train::Metrics measure(nn::Transformer& model, SentenceBatches& batches, const ParallelText& text,
                       const BytePairs& codes, std::int64_t beams) {
  nn::BeamOptions beam;
  beam.beams = beams;
  double sum = 0, tokens = 0;
  BleuCounts bleu;
  batches.start_epoch(0);
  for (std::int64_t number = 0; const std::optional<SentenceBatch> batch = batches.next(); ++number) {
    if (!train::is_turn(number)) continue;
    const auto count = static_cast<double>(batch->tokens);
    sum += token_loss(model, *batch, 0).item() * count;
    tokens += count;
    const auto translations =
        beams > 0 ? nn::beam_decode(model, batch->source, beam) : nn::greedy_decode(model, batch->source);
    for (std::size_t i = 0; i < translations.size(); ++i)
      bleu.add(codes.decode(translations[i]), text.target[static_cast<std::size_t>(batch->rows[i])]);
  }
  train::add_up(sum, tokens, bleu.hypothesis, bleu.reference);
  for (std::size_t n = 0; n < bleu.totals.size(); ++n) train::add_up(bleu.matches[n], bleu.totals[n]);
  const double loss = sum / tokens;
  return {{"test_loss", loss}, {"perplexity", std::exp(loss)}, {"bleu", bleu.score()}};
}

}  // namespace translation
