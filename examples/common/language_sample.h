// Sampling: text drawn from a language model, token by token, its state carried along.
#pragma once

#include <cstdint>
#include <string>

#include <tandem/data/vocabulary.h>
#include <tandem/nn/models/lstm_lm.h>

namespace tandem::examples {

struct SampleOptions {
  std::int64_t tokens = 500;
  double temperature = 1;  ///< p = softmax(logits / temperature); 0: always the most likely token
  std::uint64_t seed = 0;
};

/// Throws UsageError for a temperature that is negative or not finite.
void check_temperature(double temperature);

/// The id drawn from softmax(logits / temperature), logits of any shape as one row; the first of the most likely for
/// temperature 0. `chance` in [0, 1) is where the cumulated probabilities are cut. Throws as check_temperature()
/// does.
std::int64_t draw_token(const Array& logits, double temperature, double chance);

/// A text of so many tokens after a line break, which it does not contain. The model is in evaluation behaviour. Equal
/// seeds give equal texts. Throws UsageError when tokens < 1.
std::string sample_text(nn::LstmLanguageModel& model, const Vocabulary& vocabulary, const SampleOptions& options);

}  // namespace tandem::examples
