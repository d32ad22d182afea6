// language_model: recurrent language models on Penn Treebank or on any text file, by words or by characters; optimizers
// compared from the same initial weights on the same batches, by perplexity; and text drawn from a trained model.
//   language_model --model lstm-medium --optimizer "clip_norm(sgd(lr=35), max=0.143)"
//   language_model --data shakespeare.txt --model char-lstm --optimizer "clip_norm(adam(lr=4e-3), max=1)"
//   language_model --evaluate runs/DIR                        its models on the test part, or on another --data
//   language_model --evaluate runs/DIR --sample 500 --prompt "To be" --temperature 0.8
// Read next: text.cpp, trained.cpp; train/run.h, the bookkeeping round the loop below.
#include <fmt/format.h>

#include <tandem/tandem.h>
#include <tandem/train/train.h>

#include "settings.h"
#include "text.h"
#include "trained.h"

using namespace tandem;
using train::CommandLine, train::Comparison, train::Options;

namespace {

/// The options of this program alone.
struct Own {
  std::string tokens = "words";
  std::int64_t bptt = 35;
  language::SampleOptions sample = {.tokens = 0};
};

int compare(const CommandLine& line, const Own& own, const language::Text& text) {
  const Options& options = line.options();
  const nn::LstmLanguageModelOptions architecture =
      nn::lstm_language_model(options.model, text.corpus.vocabulary.size());
  LanguageBatches batches(text.corpus.train,
                          {.batch = options.batch, .steps = own.bptt, .part = train::workers()->part()});

  Comparison comparison(line, {.dataset = text.corpus.name,
                               .data = text.describe(),
                               .data_checksum = fmt::format("{:016x}", text.checksum),
                               .model = options.model,
                               .metric = text.metric(),
                               .watched = "test_loss",
                               .batches_per_epoch = batches.batches()});
  for (train::Run& run : comparison) {
    nn::seed(run.seed());
    nn::LstmLanguageModel model(architecture);
    run.prepare(model);
    run.describe_model(language::describe_model(options.model, text));
    Optimizer optimizer(model.parameters(), run.rule());
    nn::LanguageModelState state;  // goes on from batch to batch, and begins from zeros with an epoch
    run.carry([&] { return language::to_arrays(state); }, [&](const NamedArrays& a) { state = language::to_state(a); });
    run.start(model, optimizer, batches);
    run.measure_inner([&] { return language::measure(model, text.watched(), own.bptt); });
    while (run.next_epoch()) {
      model.train();
      for (auto& step : run.steps(batches)) {
        nn::LanguageModelState next;
        const Tensor loss = optimizer.step([&] {
          next = state;  // where the step began, however often it is evaluated
          for (const auto& [inputs, targets] : step) {
            const nn::LanguageModelOutput output = model(inputs, next);
            next = output.state.detach();
            step.backward(language::token_loss(output.logits, targets));
          }
          return step.loss();
        });
        state = next;
        run.step(loss);
        if (!run.evaluation_due()) continue;
        const auto slow = run.evaluation_weights();
        run.record(language::measure(model, text.watched(), own.bptt));
      }
      state = {};
    }
    if (text.corpus.valid.defined() && run.is_complete()) {
      const auto slow = run.evaluation_weights();
      run.record_final({{"test_perplexity", language::measure(model, text.corpus.test, own.bptt).back().second}});
    }
  }
  return comparison.finish();
}

/// With --init the text is read with the vocabulary of that model, so that its weights mean the same tokens.
language::Text training_text(const Options& options, const Own& own) {
  TextCorpusOptions wanted{.kind = token_kind(own.tokens)};
  if (!options.init.empty() && !options.new_head) {
    const std::string text = nn::read_model_info(options.init).vocabulary;
    if (!text.empty()) wanted.vocabulary = Vocabulary::from_text(text, options.init.string() + ": vocabulary");
    if (wanted.vocabulary && wanted.vocabulary->kind() != wanted.kind)
      fail_usage("--tokens",
                 fmt::format("is {}, the model of --init knows {}", own.tokens, name(wanted.vocabulary->kind())));
  }
  return language::open_text(options, wanted);
}

/// What the command line left open becomes the model's own setting; the model, that of --init or of the tokens; the
/// data set, what --data is, by default Penn Treebank.
void complete(const CommandLine& line, Options& o, Own& own) {
  if (o.dataset.empty()) o.dataset = o.data.empty() ? "ptb" : language::dataset_of(o.data);
  if (!line.is_given("--model")) {
    if (own.tokens == "characters") o.model = "char-lstm";
    if (!o.init.empty()) o.model = language::saved_model_name(o.init).value_or(o.model);
  }
  const language::Setting* s = language::find_setting(o.model);
  if (s == nullptr) return;  // refused next, with the names that are known
  if (!line.is_given("--tokens")) own.tokens = name(s->tokens);
  if (!line.is_given("--bptt")) own.bptt = s->bptt;
  if (!line.is_given("--batch")) o.batch = s->batch;
  if (!line.is_given("--epochs")) o.epochs = s->epochs;
  if (!line.is_given("--schedule")) o.schedule = s->schedule;
  if (!line.is_given("--optimizer")) o.optimizers = language::default_optimizers(*s);
}

/// Values that cannot be, and options that would have no effect.
void check(const CommandLine& line, const Own& own) {
  const Options& o = line.options();
  language::check_temperature(own.sample.temperature);
  if (!o.resume.empty()) return;
  const bool is_evaluation = !o.evaluate.empty(), draws = own.sample.tokens > 0;
  if (draws && !is_evaluation && o.init.empty())
    fail_usage("--sample", "needs a trained model", {}, "--evaluate names its run folder, --init a model file");
  if (!draws) line.refuse({"--temperature", "--prompt"}, "is for --sample");
  if (draws || is_evaluation) line.refuse_training_options();
  if (is_evaluation)
    line.refuse({"--tokens", "--model", "--batch", "--validation", "--init", "--new-head"}, "is for training");
  if (is_evaluation && !draws) line.refuse({"--seed"}, "is for training and for --sample");
  if (draws) line.refuse({"--data", "--dataset", "--bptt", "--tokens", "--model", "--json"}, "is not used by --sample");
}

}  // namespace

int main(int argc, char** argv) try {
  CommandLine line("Trains language models and compares optimizers; draws text from trained ones.",
                   language::defaults(),
                   {.datasets = {"ptb", "text"}, .models = nn::lstm_language_model_names(), .validation = true});
  Own own;
  line.add("--tokens", own.tokens, "What a text is made of", {"words", "characters"});
  line.add("--bptt", own.bptt, {}, 1);
  line.add("--sample", own.sample.tokens, "Draw N tokens of text from each model of --evaluate, or that of --init", 0,
           10'000'000);
  line.add("--prompt", own.sample.prompt, "Of --sample: what the text begins with; default: a new line");
  line.add("--temperature", own.sample.temperature,
           "Of --sample: below 1 likelier, above 1 more varied; 0: the likeliest");
  language::describe_options(line);
  line.complete([&](Options& o) { complete(line, o, own); });
  if (!line.parse(argc, argv)) return train::kExitDone;
  check(line, own);
  const Options& options = line.options();
  if (own.sample.tokens > 0) return language::sample(options, own.sample);
  if (!options.evaluate.empty()) return language::evaluate(line, own.bptt);
  return compare(line, own, training_text(options, own));
} catch (...) {
  return train::end_by_exception();
}
