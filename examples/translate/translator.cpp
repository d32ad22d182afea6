// See translator.h.
#include "translator.h"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/data/utf8.h>
#include <tandem/nn/model_file.h>

using namespace tandem;

namespace translation {
namespace {

constexpr std::size_t kSentences = 32;  // decoded together
constexpr std::size_t kTogether = 256;  // lines of a file; from a terminal each line is answered at once

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// What the command line gives of the test set decides; the rest is the run's. `data` is the folder of multi30k.
struct TestSet {
  std::string dataset, data, from, to;
};

TestSet test_set(const train::CommandLine& line, const Own& own, const Translator& trained) {
  const train::Options& o = line.options();
  const bool gives_files = line.is_given("--source"), gives_data = line.is_given("--data");
  if (gives_files != line.is_given("--target"))
    fail_usage(gives_files ? "--target" : "--source", "is missing", {}, "two files of parallel lines go together");
  if (gives_files) line.refuse({"--data"}, "is not used with --source and --target");
  TestSet set{o.dataset, o.data, own.from, own.to};
  if (!line.is_given("--dataset") && (gives_files || gives_data)) set.dataset = gives_files ? "files" : "multi30k";
  if (gives_files && set.dataset != "files")
    fail_usage("--dataset", fmt::format("is {}, but two files are given", set.dataset));
  if (set.dataset == "files" && own.source.empty())
    fail_usage("--source", "is missing", "the model was trained on multi30k",
               "--source and --target name lines to test it on");
  if (gives_files) {
    if (!line.is_given("--from")) set.from = file_name(own.source);
    if (!line.is_given("--to")) set.to = file_name(own.target);
  }
  if (set.dataset == "multi30k" && trained.dataset != "multi30k") {
    for (const auto& [option, language] : {std::pair("--from", set.from), std::pair("--to", set.to)})
      if (!line.is_given(option))
        fail_usage(option, "is missing", fmt::format("the model was trained on two files, here {}", language),
                   "name the language of multi30k");
  }
  return set;
}

ParallelText read_test(const TestSet& set, const Own& own, const Translator& trained) {
  if (set.dataset == "files")
    return test_lines(read_parallel_text(own.source, own.target), trained.training_checksum.value_or(0));
  return multi30k_test({.folder = set.data, .from = set.from, .to = set.to});
}

}  // namespace

nn::ModelInfo describe_model(const std::string& model, const BytePairs& codes, const Own& own) {
  nn::ModelInfo info;
  info.vocabulary = codes.to_text();
  info.extra = {{"model", model}, {"from", own.from}, {"to", own.to}};
  return info;
}

Translator load_translator(const std::filesystem::path& path) {
  const std::string file = path.string();
  const auto [module, info] = nn::load_model(path);
  auto model = std::dynamic_pointer_cast<nn::Transformer>(module);
  if (!model) fail(file, "not a model that translates", fmt::format("it is \"{}\"", info.name));
  if (info.vocabulary.empty()) fail(file, "not a model of translate", "it has no subwords");
  BytePairs codes = BytePairs::from_text(info.vocabulary, file + ": subwords");
  const std::int64_t tokens = model->options().source_tokens;
  if (codes.size() != tokens || model->options().target_tokens != tokens) {
    fail(file, "the subwords are those of another model", fmt::format("{}, the model has {}", codes.size(), tokens));
  }
  model->evaluate();
  const auto value = [&extra = info.extra](const char* key) {
    const auto found = extra.find(key);
    return found == extra.end() ? std::string() : found->second;
  };
  return {std::move(codes),
          std::move(model),
          value("dataset"),
          value("from"),
          value("to"),
          train::training_checksum(info),
          {}};
}

std::vector<std::int64_t> Translator::encode(std::string_view line, const std::string& where,
                                             std::int64_t number) const {
  if (find_not_utf8(line) != std::string::npos) fail(fmt::format("{}:{}", where, number), "not UTF-8");
  std::vector<std::int64_t> sentence = codes.encode(line);
  check_positions(sentence, model->options().positions, where, number);
  return sentence;
}

std::vector<std::string> Translator::translate(std::vector<std::vector<std::int64_t>> sentences) const {
  std::vector<std::size_t> order;  // of those that have words, by length: little padding
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    if (sentences[i].empty()) continue;
    sentences[i].push_back(BytePairs::kEnd);
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sentences[a].size() < sentences[b].size(); });
  std::vector<std::string> translations(sentences.size());
  for (std::size_t begin = 0; begin < order.size(); begin += kSentences) {
    const std::size_t end = std::min(order.size(), begin + kSentences);
    std::vector<std::vector<std::int64_t>> some;
    for (std::size_t i = begin; i < end; ++i) some.push_back(sentences[order[i]]);
    const auto decoded = nn::beam_decode(*model, pad_sentences(some, BytePairs::kPadding), beam);
    for (std::size_t i = begin; i < end; ++i) translations[order[i]] = codes.decode(decoded[i - begin]);
  }
  return translations;
}

void translate_stream(const Translator& translator, std::istream& in, std::ostream& out, std::size_t lines,
                      const std::string& where) {
  std::int64_t number = 0;
  std::vector<std::vector<std::int64_t>> some;
  const auto flush = [&] {
    for (const std::string& line : translator.translate(std::move(some))) out << line << '\n';
    out.flush();
    if (!out) fail("translate", "the translations cannot be written");
    some.clear();
  };
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    ++number;
    try {
      some.push_back(translator.encode(number == 1 ? without_byte_order_mark(line) : line, where, number));
    } catch (const Error&) {
      flush();  // what stands before the bad line is not lost
      throw;
    }
    if (some.size() == lines) flush();
  }
  flush();
}

int translate_input(const train::Options& options, std::int64_t beams) {
  const std::vector<train::SavedModel> models = train::models_to_use(options);
  if (models.size() > 1) {
    fail_usage("--evaluate",
               fmt::format("{} has {} models, one can translate", options.evaluate.string(), models.size()), {},
               fmt::format("name one, as in {}", models.front().path.parent_path().string()));
  }
  Translator translator = load_translator(models.front().path);
  translator.beam.beams = beams;
  translate_stream(translator, std::cin, std::cout, ::isatty(STDIN_FILENO) == 1 ? 1 : kTogether, "standard input");
  return train::kExitDone;
}

int evaluate(const train::CommandLine& line, const Own& own) {
  const train::Options& o = line.options();
  const NoGradGuard no_grad;
  std::vector<std::pair<std::string, train::Metrics>> all;
  for (const train::SavedModel& saved : train::saved_models(o.evaluate)) {
    const Translator trained = load_translator(saved.path);
    const TestSet set = test_set(line, own, trained);
    const ParallelText text = read_test(set, own, trained);
    const std::int64_t positions = trained.model->options().positions;
    SentenceBatches batches = test_batches(encode(text, trained.codes, positions), positions);
    if (all.empty() && !o.json)
      fmt::print("data       {}: {} -> {}, {} test pairs; {} subwords of {} merges; measured on the test set\n",
                 set.dataset, set.from, set.to, train::with_commas(text.size()),
                 train::with_commas(trained.codes.size()), train::with_commas(trained.codes.merges()));
    std::fflush(stdout);
    all.emplace_back(saved.run, measure(*trained.model, batches, text, trained.codes, own.beams));
  }
  return train::print_evaluations(o, all);
}

}  // namespace translation
