// Numbers of papers and what they become here; see settings.h.
#include "settings.h"

#include <fmt/format.h>

using namespace tandem;

namespace language {
namespace {

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

/// "lstm-small 20, lstm-medium 20, ...".
template <class F>
std::string of_models(const F& value) {
  std::string text;
  for (const Setting& s : kSettings) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", s.model, value(s));
  return text;
}

}  // namespace

const Setting* find_setting(const std::string& model) {
  for (const Setting& setting : kSettings)
    if (model == setting.model) return &setting;
  return nullptr;
}

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

train::Options defaults() {
  const Setting& s = *find_setting("lstm-medium");
  train::Options o;
  o.program = "language_model";
  o.model = s.model;
  o.epochs = s.epochs;
  o.batch = s.batch;
  o.schedule = s.schedule;
  o.optimizers = default_optimizers(s);
  return o;
}

void describe_options(train::CommandLine& line) {
  const std::string own = "the model's own";
  line.describe("--data", {.text = "Folder of Penn Treebank, or a text file, to train on nine tenths and test on the "
                                   "last; with --evaluate any other text is tested on as a whole; default: ptb in "
                                   "$TANDEM_DATA, else in ~/.cache/tandem"});
  line.describe("--dataset", {.text = "Data set: ptb, text; default: what --data is"});
  line.describe(
      "--optimizer",
      {.text = "Optimizer, e.g. \"clip_norm(sgd(lr=35), max=0.143)\"; given several times, and every combination of "
               "lists in braces: compared; default: sgd and adam alone, inside lookahead and at half the lr; lr of sgd "
               "/ lr of adam / norm they are clipped at: " +
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
  line.describe("--validation", {.text = "Tokens held out at the end of a text file's training part: what is watched "
                                         "while training; ptb has a validation part of its own"});
  line.describe("--init", {.text = "Start from the weights of a model file, with its vocabulary; with --sample: draw "
                                   "from this model"});
  line.describe("--new-head", {.text = "With --init: the vocabulary is the text's own; entries of another shape keep "
                                       "their initial values"});
}

}  // namespace language
