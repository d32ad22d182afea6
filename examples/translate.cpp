// translate: a Transformer on parallel text, Multi30k or any two files of lines; optimizers compared from the same
// initial weights on the same batches. The optimizers by default are the question of Lookahead's paper (section 5.3):
// does it need the warm-up that Adam needs?
//   translate --from de --to en --epochs 10 --seed 0 --seed 1
//   translate --source my.de --target my.en --out runs/mine
//   translate --evaluate runs/mine/1-adam-seed0 --translate < lines.de > lines.en
// Read next: common/translation_task.cpp, then common/train.cpp, the training loop.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/data/parallel_text.h>

#include "common/compare.h"
#include "common/options.h"
#include "common/program.h"
#include "common/translation_task.h"
#include "common/translator.h"

using namespace tandem;
using namespace tandem::examples;

namespace {

constexpr std::size_t kTogether = 256;  // lines of a file; from a terminal each line is answered at once

Options translate_defaults() {
  Options o;
  o.program = "translate";
  o.model = "transformer-small";
  o.epochs = 10;
  o.batch = 256;
  o.optimizers = {
      "adam(lr=1e-3 * inverse_sqrt(warmup=0.1), beta2=0.98, eps=1e-9)",
      "lookahead(adam(lr=1e-3 * inverse_sqrt(warmup=0.1), beta2=0.98, eps=1e-9), k=5, alpha=0.5)",
      "lookahead(adam(lr=1e-3 * linear(end=0.3), beta2=0.98, eps=1e-9), k=5, alpha=0.5)",  // without warm-up
      "adam(lr=5e-4 * inverse_sqrt(warmup=0.1), beta2=0.98, eps=1e-9)",                    // the controls: alpha * lr
      "adam(lr=5e-4 * linear(end=0.3), beta2=0.98, eps=1e-9)"};
  return o;
}

struct Files {
  std::string source, target;
};

/// The data set is the one that files or folder are given of. To train, that is Multi30k by default; to evaluate, the
/// data set of training. Files give their names to the languages.
void complete(const CommandLine& line, Options& o, const Files& files, TranslationOptions& t) {
  if (files.source.empty() != files.target.empty())
    fail_usage(files.source.empty() ? "--source" : "--target", "is missing", {},
               "two files of parallel lines go together");
  const bool has_files = !files.source.empty();
  if (o.dataset.empty() && has_files) o.dataset = "files";
  if (o.dataset.empty() && (o.evaluate.empty() || !o.data.empty())) o.dataset = "multi30k";
  if (!has_files && o.dataset == "files")
    fail_usage("--dataset", "is files, but none is given", {}, "--source and --target name them");
  if (!has_files) return;
  if (o.dataset != "files") fail_usage("--dataset", fmt::format("is {}, but two files are given", o.dataset));
  if (!o.data.empty()) fail_usage("--data", "is not used with --source and --target", {}, "leave it out");
  if (!line.is_given("--from")) t.from = std::filesystem::path(files.source).filename().string();
  if (!line.is_given("--to")) t.to = std::filesystem::path(files.target).filename().string();
}

/// Options that would have no effect.
void check(const CommandLine& line, bool translates) {
  const Options& o = line.options();
  if (translates && o.evaluate.empty()) fail_usage("--translate", "needs a model", {}, "--evaluate says where it lies");
  if (!o.resume.empty()) return;
  if (o.evaluate.empty()) return line.refuse({"--beams"}, "is for --evaluate: training measures by greedy decoding");
  if (translates)
    line.refuse({"--data", "--dataset", "--source", "--target", "--from", "--to"}, "is not used by --translate");
  line.refuse({"--tokens", "--merges", "--dropout", "--model", "--batch", "--seed", "--checkpoint-every"},
              "is for training");
}

TranslationSets read_sets(const Options& o, const Files& files, const TranslationOptions& t) {
  if (o.dataset == "files") return hold_out(read_parallel_text(files.source, files.target));
  return multi30k({.folder = o.data, .from = t.from, .to = t.to});
}

/// The test set alone: Multi30k's, or the lines of two files but for those that the model was trained on.
ParallelText read_test(const Options& o, const Files& files, const TranslationOptions& t, const SavedModel& model) {
  if (o.dataset == "files")
    return test_lines(read_parallel_text(files.source, files.target), saved_checksum(model).value_or(0));
  return multi30k_test({.folder = o.data, .from = t.from, .to = t.to});
}

int evaluate(const CommandLine& line, const Files& files, TranslationOptions t) {
  Options o = line.options();
  const std::vector<SavedModel> saved = load_saved_models(o.evaluate);
  const SavedModel& model = saved.front();
  t.codes = load_byte_pairs(o.evaluate, saved);
  t.is_test = true;
  adopt_saved(o, saved);
  if (o.dataset == "files" && files.source.empty())
    fail_usage("--source", "is missing", "the model was trained on two files",
               "--source and --target name lines to test it on");
  if (o.dataset == "multi30k") {
    const bool knows_languages = metadata_value(model, "dataset") == "multi30k";
    for (auto [option, language, key] : {std::tuple{"--from", &t.from, "from"}, std::tuple{"--to", &t.to, "to"}}) {
      if (line.is_given(option)) continue;
      *language = saved_value(model, key);
      if (!knows_languages)
        fail_usage(option, "is missing", fmt::format("the model was trained on two files, here {}", *language),
                   "name the language of multi30k");
    }
  }
  t.dataset = o.dataset;
  t.model = o.model;
  Translation task({{}, {}, read_test(o, files, t, model)}, t);
  return evaluate_saved(task, o, saved);
}

int translate_input(const Options& o, std::int64_t beams) {
  if (beams < 1) fail_usage("--beams", fmt::format("is {}, must be at least 1", beams));
  if (o.threads > 0) set_threads(o.threads);
  Translator translator = load_translator(o.evaluate);
  translator.beam.beams = beams;
  translate_stream(translator, std::cin, std::cout, ::isatty(STDIN_FILENO) == 1 ? 1 : kTogether, "standard input");
  return kExitDone;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program([&] {
    CommandLine line("Trains Transformers that translate, and compares optimizers.", translate_defaults(),
                     {{"files", "multi30k"}, translation_models(), false});
    TranslationOptions t{.from = "de", .to = "en"};
    Files files;
    bool translates = false;
    line.add("--from", t.from, "Language to translate from: how the files of multi30k end; name for --source");
    line.add("--to", t.to, "Language to translate to; name for --target");
    line.add("--source", files.source, "File of sentences, one a line, with --target: data of one's own");
    line.add("--target", files.target,
             "File of their translations; a tenth of the lines is held out, half to validate, half to test; with "
             "--evaluate all lines of any other files are the test set");
    line.add("--tokens", t.tokens, "Tokens of a batch at most, with padding; --batch limits its pairs");
    line.add("--merges", t.merges, "Byte pairs to merge: about the number of subwords");
    line.add("--dropout", t.dropout, "Probability of dropout while training");
    line.add("--beams", t.beams, "With --evaluate: hypotheses of beam search on the test set and with --translate");
    line.add("--translate", translates, "Translate standard input with the model of --evaluate, a line a line");
    line.describe("--data", {.text = "Folder of multi30k; default: multi30k in $TANDEM_DATA, else in ~/.cache/tandem"});
    line.describe("--dataset", {.text = "Data set: files, multi30k; default: files with --source, else multi30k"});
    line.describe("--batch", {.text = "Pairs of sentences in a batch at most"});
    line.describe("--seed", {.text = "Seed of weights, batches and dropout; given several times: repeated"});
    for (const char* option : {"--source", "--target"}) line.describe(option, {.type = "FILE"});
    line.complete([&](Options& o) { complete(line, o, files, t); });
    if (!line.parse(argc, argv)) return kExitDone;

    const Options& o = line.options();
    check(line, translates);
    if (translates) return translate_input(o, t.beams);
    if (!o.evaluate.empty()) return evaluate(line, files, t);
    t.dataset = o.dataset;
    t.model = o.model;
    t.batch = o.batch;
    Translation task(read_sets(o, files, t), t);
    return compare(task, o);
  });
}
