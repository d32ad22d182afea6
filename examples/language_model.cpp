// language_model: recurrent language models on Penn Treebank or on any text file, by words or by characters; optimizers
// compared from the same initial weights on the same batches, by perplexity; and text drawn from a trained model.
//   language_model --model lstm-medium --optimizer "clip_norm(sgd(lr=35), max=0.143)"
//   language_model --data shakespeare.txt --model char-lstm --optimizer "clip_norm(adam(lr=4e-3), max=1)"
//   language_model --evaluate runs/DIR --sample 500 --temperature 0.8
// Read next: common/language_task.cpp, then common/train.cpp, the training loop.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>

#include "common/compare.h"
#include "common/language_sample.h"
#include "common/language_task.h"
#include "common/options.h"
#include "common/program.h"

using namespace tandem;
using namespace tandem::examples;

namespace {

/// How a model is trained where the command line does not say it.
struct Setting {
  const char* model;
  TokenKind tokens;
  std::int64_t batch, bptt, epochs;
  const char* schedule;
  double sgd_lr, adam_lr, clip, weight_decay;
};

// Zaremba et al. sum the loss over the bptt steps and use lr 1 with gradients clipped at 5 (large: 10). Here it is
// their mean, so that lr is bptt times theirs and the norm that much smaller. Their lr falls by 1.2 an epoch from epoch
// 6 of 39; ten epochs need a faster fall. AWD-LSTM: the setting of the Lookahead paper, the lr halved on a plateau.
constexpr const char* kFall = "multistep(at=0.5/0.6/0.7/0.8/0.9, by=0.5)";
const Setting kSettings[] = {
    {"lstm-small", TokenKind::words, 20, 20, 10, kFall, 20, 1e-3, 0.25, 0},
    {"lstm-medium", TokenKind::words, 20, 35, 10, kFall, 35, 1e-3, 0.143, 0},
    {"lstm-large", TokenKind::words, 20, 35, 10, kFall, 35, 1e-3, 0.286, 0},
    {"awd-lstm", TokenKind::words, 80, 70, 20, "plateau(by=0.5, patience=1)", 30, 1e-3, 0.25, 1.2e-6},
    {"char-lstm", TokenKind::characters, 32, 64, 8, "cosine(warmup=0.02)", 8, 4e-3, 1, 0},
};

const Setting& setting_of(const std::string& model) {
  for (const Setting& setting : kSettings)
    if (model == setting.model) return setting;
  fail("language_model", fmt::format("no setting for the model {}", model));
}

/// SGD and Adam, alone, inside Lookahead, and the control: inner at alpha * lr. The gradient's norm is clipped first.
std::vector<std::string> default_optimizers(const Setting& s) {
  const double alpha = 0.5;
  const std::string decay = s.weight_decay > 0 ? fmt::format(", weight_decay={}", s.weight_decay) : "";
  const auto sgd = [&](double lr) { return fmt::format("sgd(lr={}{})", lr, decay); };
  const auto adam = [&](double lr) { return fmt::format("adam(lr={}{})", lr, decay); };
  const auto lookahead = [=](const std::string& inner) {
    return fmt::format("lookahead({}, k=5, alpha={})", inner, alpha);
  };
  std::vector<std::string> rules;
  for (const std::string& rule : {sgd(s.sgd_lr), lookahead(sgd(s.sgd_lr)), sgd(alpha * s.sgd_lr), adam(s.adam_lr),
                                  lookahead(adam(s.adam_lr)), adam(alpha * s.adam_lr)})
    rules.push_back(fmt::format("clip_norm({}, max={})", rule, s.clip));
  return rules;
}

Options language_defaults() {
  const Setting& s = setting_of("lstm-medium");
  Options o;
  o.program = "language_model";
  o.model = s.model;
  o.epochs = s.epochs;
  o.batch = s.batch;
  o.schedule = s.schedule;
  o.optimizers = default_optimizers(s);
  return o;
}

/// The options of this program alone.
struct Own {
  std::string tokens = "words";
  std::int64_t bptt = 35, sample = 0;
  double temperature = 1;
};

/// What the command line left open becomes the model's own setting; the model, that of the tokens; the data set, what
/// --data is. To train, that is Penn Treebank by default; to evaluate, the data set of training.
void complete(const CommandLine& line, Options& o, Own& own) {
  std::error_code ignored;
  if (o.dataset.empty() && !o.data.empty()) o.dataset = std::filesystem::is_directory(o.data, ignored) ? "ptb" : "text";
  if (o.dataset.empty() && o.evaluate.empty()) o.dataset = "ptb";
  if (!line.is_given("--model") && own.tokens == "characters") o.model = "char-lstm";
  const Setting& s = setting_of(o.model);
  if (!line.is_given("--tokens")) own.tokens = name(s.tokens);
  if (!line.is_given("--bptt")) own.bptt = s.bptt;
  if (!line.is_given("--batch")) o.batch = s.batch;
  if (!line.is_given("--epochs")) o.epochs = s.epochs;
  if (!line.is_given("--schedule")) o.schedule = s.schedule;
  if (!line.is_given("--optimizer")) o.optimizers = default_optimizers(s);
  if (own.bptt < 1) fail_usage("--bptt", fmt::format("is {}, must be at least 1", own.bptt));
}

/// Words that a text has once become <unk>, so that it is learned; Penn Treebank brings its own.
TextCorpus open_corpus(const Options& o, TextCorpusOptions options) {
  std::error_code ignored;
  if (!o.data.empty() && !std::filesystem::exists(o.data, ignored))
    fail("--data", "there is no such file or folder", o.data,
         o.resume.empty() ? "" : "the run began elsewhere: give its new path with --data");
  if (o.dataset == "ptb") return penn_treebank(o.data, options);
  if (o.data.empty()) fail_usage("--dataset text", "the file is not given", {}, "give it with --data");
  options.min_count = options.kind == TokenKind::words ? 2 : 1;
  return text_corpus(o.data, options);
}

void sample(const Options& o, const Own& own, const std::vector<SavedModel>& models, const Vocabulary& vocabulary) {
  for (const SavedModel& saved : models) {
    const std::string model_name = metadata_value(saved, "model");
    nn::LstmLanguageModel model(nn::lstm_language_model(model_name, vocabulary.size()));
    load_model(model, saved, model_name);
    model.evaluate();
    for (const std::uint64_t seed : o.seeds) {
      const std::string title = o.seeds.size() > 1 ? fmt::format("{}, seed {}", saved.run, seed) : saved.run;
      const SampleOptions options{.tokens = own.sample, .temperature = own.temperature, .seed = seed};
      fmt::print("{}:\n{}\n", title, sample_text(model, vocabulary, options));
      std::fflush(stdout);
    }
  }
}

int evaluate_or_sample(Options o, const Own& own) {
  const std::vector<SavedModel> models = load_saved_models(o.evaluate);
  const Vocabulary vocabulary = saved_vocabulary(models.front().content, models.front().path.string());
  for (const SavedModel& model : models) {
    if (saved_vocabulary(model.content, model.path.string()) == vocabulary) continue;
    fail(model.path.string(), "the vocabulary is that of another checkpoint",
         "it differs from that of " + models.front().path.string(), "--evaluate them one by one");
  }
  if (own.sample == 0) {
    adopt_saved(o, models);
    LanguageModeling task(
        open_corpus(o, {.vocabulary = vocabulary, .training_checksum = saved_checksum(models.front())}),
        {.model = o.model, .batch = 1, .bptt = own.bptt});
    return evaluate_saved(task, o, models);
  }
  if (o.threads > 0) set_threads(o.threads);
  sample(o, own, models, vocabulary);
  return kExitDone;
}

/// Values that cannot be, and options that would have no effect.
void check(const CommandLine& line, const Own& own) {
  const Options& o = line.options();
  if (own.sample < 0) fail_usage("--sample", fmt::format("is {}, must be at least 0", own.sample));
  check_temperature(own.temperature);
  const bool is_evaluation = !o.evaluate.empty(), draws = own.sample > 0;
  if (draws && !is_evaluation)
    fail_usage("--sample", "needs a trained model", {}, "give its run folder with --evaluate");
  if (!o.resume.empty()) return;
  if (!draws) line.refuse({"--temperature"}, "is for --sample");
  if (is_evaluation) line.refuse({"--tokens", "--model", "--batch", "--checkpoint-every"}, "is for training");
  if (is_evaluation && !draws) line.refuse({"--seed"}, "is for training and for --sample");
  if (draws) line.refuse({"--data", "--dataset", "--bptt"}, "is not used by --sample");
}

/// "lstm-small 20, lstm-medium 20, ...".
template <class F>
std::string of_models(const F& value) {
  std::string text;
  for (const Setting& s : kSettings) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", s.model, value(s));
  return text;
}

void describe(CommandLine& line) {
  const std::string own = "the model's own";
  line.describe("--data", {.text = "Folder of Penn Treebank, or a text file, to train on nine tenths and test on the "
                                   "last; with --evaluate any other text is tested on as a whole; default: ptb in "
                                   "$TANDEM_DATA, else in ~/.cache/tandem",
                           .type = "PATH"});
  line.describe("--dataset", {.text = "Data set: ptb, text; default: what --data is"});
  line.describe(
      "--optimizer",
      {.text = "Optimizer, e.g. \"clip_norm(sgd(lr=35), max=0.143)\"; given several times: "
               "compared; default: sgd and adam alone, inside lookahead and at half the lr; "
               "lr of sgd / lr of adam / norm they are clipped at: " +
               of_models([](const Setting& s) { return fmt::format("{} / {} / {}", s.sgd_lr, s.adam_lr, s.clip); }),
       .default_value = own});
  line.describe("--schedule", {.text = "Times the lr of every leaf: " +
                                       of_models([](const Setting& s) { return fmt::format("\"{}\"", s.schedule); }),
                               .default_value = own});
  line.describe("--epochs",
                {.text = "Passes over the training text: " + of_models([](const Setting& s) { return s.epochs; }),
                 .default_value = own});
  line.describe("--batch", {.text = "Parts of the text that are read side by side: " +
                                    of_models([](const Setting& s) { return s.batch; }),
                            .default_value = own});
  line.describe("--bptt",
                {.text = "Tokens that gradients go back: " + of_models([](const Setting& s) { return s.bptt; }),
                 .default_value = own});
  line.describe("--tokens", {.default_value = own});
  line.describe("--seed", {.text = "Seed of weights, dropout and --sample; given several times: repeated"});
}

}  // namespace

int main(int argc, char** argv) {
  return run_program([&] {
    CommandLine line("Trains language models and compares optimizers; draws text from trained ones.",
                     language_defaults(), {{"ptb", "text"}, nn::lstm_language_model_names(), false});
    Own own;
    line.add("--tokens", own.tokens, "What a text is made of", {"words", "characters"});
    line.add("--bptt", own.bptt, {});
    line.add("--sample", own.sample, "With --evaluate: draw N tokens of text from each model; 0: evaluate it");
    line.add("--temperature", own.temperature, "Of --sample: below 1 likelier, above 1 more varied; 0: the likeliest");
    describe(line);
    line.complete([&](Options& o) { complete(line, o, own); });
    if (!line.parse(argc, argv)) return kExitDone;

    const Options& options = line.options();
    check(line, own);
    if (!options.evaluate.empty()) return evaluate_or_sample(options, own);
    LanguageModeling task(open_corpus(options, {.kind = token_kind(own.tokens)}),
                          {.model = options.model, .batch = options.batch, .bptt = own.bptt});
    return compare(task, options);
  });
}
