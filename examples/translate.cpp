// translate: a Transformer on parallel text, Multi30k or any two files of lines; optimizers compared from the same
// initial weights on the same batches. The optimizers by default are the question of Lookahead's paper (section 5.3):
// does it need the warm-up that Adam needs?
//   translate --from de --to en --epochs 10 --seed 0 --seed 1
//   translate --source my.de --target my.en --out runs/mine
//   translate --evaluate runs/mine/1-adam-seed0 --translate < lines.de > lines.en
// Read next: common/translation_task.cpp, then common/train.cpp, the training loop.
#include <unistd.h>

#include <iostream>
#include <memory>

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

TranslationSets read_sets(const Options& o, const Files& files, const TranslationOptions& t) {
  if (o.dataset == "files") return hold_out(read_parallel_text(files.source, files.target));
  return multi30k({.folder = o.data, .from = t.from, .to = t.to});
}

void choose_dataset(Options& o, const Files& files) {
  if (files.source.empty() != files.target.empty())
    fail_usage(files.source.empty() ? "--source" : "--target", "is missing", {},
               "two files of parallel lines go together");
  const std::string given = files.source.empty() ? "multi30k" : "files";
  if (o.dataset.empty()) o.dataset = given;
  if (o.dataset == given) return;
  if (given == "files") fail_usage("--dataset", fmt::format("is {}, but two files are given", o.dataset));
  fail_usage("--dataset", "is files, but none is given", {}, "--source and --target name them");
}

int evaluate(Options o, const Files& files, TranslationOptions t) {
  const std::vector<SavedModel> saved = load_saved_models(o.evaluate);
  t.codes = load_byte_pairs(o.evaluate, saved);
  t.from = saved_value(saved.front(), "from");
  t.to = saved_value(saved.front(), "to");
  t.is_test = true;
  adopt_saved(o, saved);
  choose_dataset(o, files);
  t.dataset = o.dataset;
  t.model = o.model;
  Translation task(read_sets(o, files, t), t);
  return evaluate_saved(task, o, saved);
}

int translate_input(const Options& o, std::int64_t beams) {
  if (o.evaluate.empty()) fail_usage("--translate", "needs a model", {}, "--evaluate says where it lies");
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
                     {{"files", "multi30k"}, translation_models()});
    TranslationOptions t{.from = "de", .to = "en"};
    Files files;
    bool translates = false;
    line.add("--from", t.from, "Language to translate from: how the files of multi30k end");
    line.add("--to", t.to, "Language to translate to");
    line.add("--source", files.source, "File of sentences, one a line, with --target: data of one's own");
    line.add("--target", files.target, "File of their translations; a tenth of the lines is held out");
    line.add("--tokens", t.tokens, "Tokens of a batch at most, with padding; --batch limits its pairs");
    line.add("--merges", t.merges, "Byte pairs to merge: about the number of subwords");
    line.add("--dropout", t.dropout, "Probability of dropout while training");
    line.add("--beams", t.beams, "Hypotheses of beam search on the test set and with --translate");
    line.add("--translate", translates, "Translate standard input with the model of --evaluate, a line a line");
    if (!line.parse(argc, argv)) return kExitDone;

    Options o = line.options();
    if (translates) return translate_input(o, t.beams);
    if (!o.evaluate.empty()) return evaluate(o, files, t);
    choose_dataset(o, files);
    t.dataset = o.dataset;
    t.model = o.model;
    t.batch = o.batch;
    Translation task(read_sets(o, files, t), t);
    return compare(task, o);
  });
}
