// Trained language models at work: read with their vocabulary from their files alone, measured on any text, and drawn
// from, token by token, the state carried along.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tandem/data/vocabulary.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/train/train.h>

#include "text.h"

namespace language {

/// What the file of such a model says beside the weights.
tandem::nn::ModelInfo describe_model(const std::string& model, const Text& text);

/// The name that describe_model wrote, where it is one of nn::lstm_language_model_names(). Throws Error when the file
/// cannot be read.
std::optional<std::string> saved_model_name(const std::filesystem::path& path);

struct TrainedModel {
  std::shared_ptr<tandem::nn::LstmLanguageModel> model;  ///< in evaluation behaviour
  tandem::Vocabulary vocabulary;
  std::optional<std::uint64_t> training_checksum;  ///< of the corpus that it was trained on
};

/// Throws Error naming the file when it is not a language model, has no vocabulary, or one of another size.
TrainedModel load(const std::filesystem::path& path);

/// The models of --evaluate on the text of the run, or of --data: the text of training on its last tenth (Penn Treebank
/// on its parts), any other one as a whole.
int evaluate(const tandem::train::CommandLine& line, std::int64_t bptt);

struct SampleOptions {
  std::int64_t tokens = 500;
  double temperature = 1;   ///< p = softmax(logits / temperature); 0: always the most likely token
  std::string prompt = {};  ///< what the text begins with
  std::uint64_t seed = 0;
};

/// A text for each model of --evaluate or --init and each --seed.
int sample(const tandem::train::Options& options, const SampleOptions& sample);

/// Throws UsageError for a temperature that is negative or not finite.
void check_temperature(double temperature);

/// The id drawn from softmax(logits / temperature), logits of any shape as one row; the first of the most likely for
/// temperature 0. `chance` in [0, 1) is where the cumulated probabilities are cut. Throws as check_temperature() does.
std::int64_t draw_token(const tandem::Array& logits, double temperature, double chance);

/// The prompt and so many tokens after it; without a prompt, after a line break, which the text does not contain. Words
/// of the prompt that are not known are <unk>. Equal seeds give equal texts. Throws UsageError when tokens < 1 or the
/// prompt holds no token.
std::string sample_text(const TrainedModel& trained, const SampleOptions& options);

}  // namespace language
