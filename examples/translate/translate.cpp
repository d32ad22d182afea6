// translate: a Transformer on parallel text, Multi30k or any two files of lines; optimizers compared from the same
// initial weights on the same batches. The optimizers by default are the question of Lookahead's paper (section 5.3):
// does it need the warm-up that Adam needs?
//   translate --from de --to en --epochs 10 --seed 0 --seed 1
//   translate --source my.de --target my.en --out runs/mine
//   translate --evaluate runs/mine                                            BLEU on its test set, by beam search
//   translate --init runs/mine/RUN/model.safetensors --translate < lines.de > lines.en
// Read next: pairs.cpp, translator.cpp; train/run.h, the bookkeeping round the loop below.
#include <fmt/format.h>

#include <filesystem>

#include <tandem/tandem.h>
#include <tandem/train/train.h>

#include "pairs.h"
#include "translator.h"

using namespace tandem;
using train::CommandLine, train::Comparison, train::Options, translation::Own;

namespace {

constexpr double kLabelSmoothing = 0.1;

Options defaults() {
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

int compare(const CommandLine& line, const Own& own) {
  const Options& options = line.options();
  const translation::Pairs pairs = translation::open_pairs(line, own);
  SentenceBatchOptions batching{.tokens = own.tokens, .sentences = options.batch};
  SentenceBatches validation = translation::test_batches(pairs.validation, pairs.architecture.positions);

  Comparison comparison(line, {.dataset = options.dataset,
                               .data = pairs.describe(options, own),
                               .data_checksum = fmt::format("{:016x}", pairs.checksum()),
                               .model = options.model,
                               .metric = "bleu",
                               .watched = "test_loss",
                               .batches_per_epoch = SentenceBatches(pairs.train, batching).batches()});
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    nn::Transformer model(pairs.architecture);
    run.prepare(model);
    run.describe_model(translation::describe_model(options.model, pairs.codes, own));
    Optimizer optimizer(model.parameters(), run.rule());
    batching.seed = run.seed();
    batching.part = run.part();
    SentenceBatches batches(pairs.train, batching);
    run.start(model, optimizer, batches);
    run.measure_inner([&] { return translation::measure(model, validation, pairs.sets.validation, pairs.codes); });
    run.measure_instruments(
        [&](const SentenceBatch& part, std::int64_t) { return translation::token_loss(model, part, kLabelSmoothing); });
    while (run.next_epoch()) {
      model.train();
      for (auto& step : run.steps(batches)) {
        const Tensor loss = optimizer.step([&] {
          for (const auto& batch : step) step.backward(translation::token_loss(model, batch, kLabelSmoothing));
          return step.loss();
        });
        run.step(loss);
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        run.record(translation::measure(model, validation, pairs.sets.validation, pairs.codes));
      }
    }
  }
  return comparison.finish();
}

/// The data set is the one that files or folder are given of, by default Multi30k. Files give their names to the
/// languages; --init gives the name of its model.
void complete(const CommandLine& line, Options& o, Own& own) {
  const bool has_files = !own.source.empty();
  if (has_files != !own.target.empty())
    fail_usage(has_files ? "--target" : "--source", "is missing", {}, "two files of parallel lines go together");
  if (o.dataset.empty()) o.dataset = has_files ? "files" : "multi30k";
  if (!has_files && o.dataset == "files")
    fail_usage("--dataset", "is files, but none is given", {}, "--source and --target name them");
  if (!o.init.empty() && !line.is_given("--model")) {
    const Metadata extra = nn::read_model_info(o.init).extra;
    if (const auto model = extra.find("model"); model != extra.end()) o.model = model->second;
  }
  if (!has_files) return;
  if (o.dataset != "files") fail_usage("--dataset", fmt::format("is {}, but two files are given", o.dataset));
  if (!o.data.empty()) fail_usage("--data", "is not used with --source and --target", {}, "leave it out");
  if (!line.is_given("--from")) own.from = std::filesystem::path(own.source).filename().string();
  if (!line.is_given("--to")) own.to = std::filesystem::path(own.target).filename().string();
}

/// Values that cannot be, and options that would have no effect.
void check(const CommandLine& line, const Own& own) {
  const Options& o = line.options();
  if (!(own.dropout >= 0 && own.dropout < 1))
    fail_usage("--dropout", fmt::format("is {}, must be in [0, 1)", own.dropout));
  if (!o.resume.empty()) return;
  const bool is_evaluation = !o.evaluate.empty();
  if (own.translates && !is_evaluation && o.init.empty())
    fail_usage("--translate", "needs a model", {}, "--evaluate names its run folder, --init a model file");
  if (!is_evaluation && !own.translates)
    return line.refuse({"--beams"}, "is for --evaluate: training measures by greedy decoding");
  line.refuse_training_options();
  if (own.translates)
    line.refuse({"--data", "--dataset", "--source", "--target", "--from", "--to", "--json"},
                "is not used by --translate");
  line.refuse({"--tokens", "--merges", "--dropout", "--model", "--batch", "--seed", "--new-head"}, "is for training");
  if (is_evaluation) line.refuse({"--init"}, "is not used with --evaluate");
}

void add_options(CommandLine& line, Own& own) {
  line.add("--from", own.from, "Language to translate from: how the files of multi30k end; name for --source");
  line.add("--to", own.to, "Language to translate to; name for --target");
  line.add_path("--source", own.source, "File of sentences, one a line, with --target: data of one's own");
  line.add_path("--target", own.target,
                "File of their translations; a tenth of the lines is held out, half to validate, half to test; with "
                "--evaluate all lines of any other files are the test set");
  line.add("--tokens", own.tokens, "Tokens of a batch at most, with padding; --batch limits its pairs", 1);
  line.add("--merges", own.merges, "Byte pairs to merge: about the number of subwords");
  line.add("--dropout", own.dropout, "Probability of dropout while training");
  line.add("--beams", own.beams, "With --evaluate: hypotheses of beam search on the test set and with --translate", 1,
           1000);
  line.add("--translate", own.translates,
           "Translate standard input by the model of --evaluate or --init, line by line");
  line.describe("--data", {.text = "Folder of multi30k; default: multi30k in $TANDEM_DATA, else in ~/.cache/tandem"});
  line.describe("--dataset", {.text = "Data set: files, multi30k; default: files with --source, else multi30k"});
  line.describe("--batch", {.text = "Pairs of sentences in a batch at most"});
  line.describe("--seed", {.text = "Seed of weights, batches and dropout; given several times: repeated"});
  line.describe("--init", {.text = "Start from the weights of a model file, with its subwords; with --translate: use "
                                   "this model"});
  line.describe("--new-head", {.text = "With --init: subwords are learned from the text; entries of another shape keep "
                                       "their initial values"});
  for (const char* option : {"--source", "--target"}) line.describe(option, {.type = "FILE"});
}

}  // namespace

int main(int argc, char** argv) try {
  CommandLine line("Trains Transformers that translate, and compares optimizers.", defaults(),
                   {.datasets = {"files", "multi30k"}, .models = translation::model_names()});
  Own own;
  add_options(line, own);
  line.complete([&](Options& o) { complete(line, o, own); });
  if (!line.parse(argc, argv)) return train::kExitDone;
  check(line, own);
  if (own.translates) return translation::translate_input(line.options(), own.beams);
  if (!line.options().evaluate.empty()) return translation::evaluate(line, own);
  return compare(line, own);
} catch (...) {
  return train::end_by_exception();
}
