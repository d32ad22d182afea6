// See translator.h.
#include "translator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <istream>
#include <numeric>
#include <ostream>

#include <tandem/core/error.h>
#include <tandem/data/sentence_batches.h>
#include <tandem/data/utf8.h>

namespace tandem::examples {
namespace {

constexpr std::size_t kSentences = 32;  // decoded together

std::string line_name(const std::string& file, std::int64_t line) { return fmt::format("{}:{}", file, line); }

}  // namespace

const std::vector<std::string>& translation_models() {
  static const std::vector<std::string> names = {"transformer-base", "transformer-small", "transformer-tiny"};
  return names;
}

nn::TransformerOptions translation_model(const std::string& name, std::int64_t tokens, double dropout) {
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
               fmt::format("known are {}", fmt::join(translation_models(), ", ")));
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
  fail(line_name(file, line),
       fmt::format("a sentence of {} tokens is longer than the model's {} positions", tokens, positions), {},
       "cut it, or remove it");
}

std::vector<std::int64_t> Translator::encode(std::string_view line, const std::string& where,
                                             std::int64_t number) const {
  if (find_not_utf8(line) != std::string::npos) fail(line_name(where, number), "not UTF-8");
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

std::filesystem::path byte_pairs_path(const std::filesystem::path& run_folder) { return run_folder / "byte_pairs.txt"; }

std::string byte_pairs_checksum(const BytePairs& codes) { return fmt::format("{:016x}", codes.checksum()); }

std::string saved_value(const SavedModel& model, const std::string& key) {
  const auto found = model.content.metadata.find(key);
  if (found == model.content.metadata.end())
    fail(model.path.string(), "not a model of translate", fmt::format("its metadata have no \"{}\"", key));
  return found->second;
}

BytePairs load_byte_pairs(const std::filesystem::path& folder, const std::vector<SavedModel>& models) {
  std::error_code ignored;
  std::filesystem::path path = byte_pairs_path(folder);
  if (!std::filesystem::exists(path, ignored))
    path = byte_pairs_path(std::filesystem::weakly_canonical(folder).parent_path());
  if (!std::filesystem::exists(path, ignored))
    fail(byte_pairs_path(folder).string(), "the subwords of the model are missing", {},
         "translate writes byte_pairs.txt beside the runs");
  BytePairs codes = BytePairs::load(path);
  for (const SavedModel& model : models) {
    const std::string expected = saved_value(model, "byte_pairs");
    if (expected != byte_pairs_checksum(codes))
      fail(path.string(), "the subwords are those of another checkpoint",
           fmt::format("checksum {}, {} was trained with {}", byte_pairs_checksum(codes), model.path.string(),
                       expected));
  }
  return codes;
}

Translator load_translator(const std::filesystem::path& folder) {
  const std::vector<SavedModel> models = load_saved_models(folder);
  if (models.size() > 1) {
    fail_usage("--evaluate", fmt::format("{} has {} models, one can translate", folder.string(), models.size()), {},
               fmt::format("name one, as in {}", models.front().path.parent_path().string()));
  }
  Translator translator{load_byte_pairs(folder, models), nullptr};
  const SavedModel& saved = models.front();
  const std::string name = saved_value(saved, "model");
  translator.model = std::make_shared<nn::Transformer>(translation_model(name, translator.codes.size(), 0));
  NamedTensors state;
  for (const NamedArray& entry : saved.content.arrays) state.push_back({entry.name, Tensor(entry.array)});
  try {
    translator.model->load_state_dict(state);
  } catch (const Error& error) {
    fail(saved.path.string(), fmt::format("does not fit {}", name), error.what());
  }
  translator.model->evaluate();
  return translator;
}

}  // namespace tandem::examples
