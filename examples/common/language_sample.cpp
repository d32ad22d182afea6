// See language_sample.h.
#include "language_sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>

namespace tandem::examples {

void check_temperature(double temperature) {
  if (temperature >= 0 && std::isfinite(temperature)) return;
  fail_usage("--temperature", fmt::format("is {}, must be finite and at least 0", temperature), {},
             "0 draws the most likely token");
}

std::int64_t draw_token(const Array& logits, double temperature, double chance) {
  check_temperature(temperature);
  std::vector<double> weights = logits.to_vector<double>();
  const auto best = std::max_element(weights.begin(), weights.end());
  if (temperature == 0) return best - weights.begin();
  const double largest = *best;
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp((weight - largest) / temperature);
  double left = chance * sum;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if ((left -= weights[i]) < 0) return static_cast<std::int64_t>(i);
  return best - weights.begin();  // rounding left something over
}

std::string sample_text(nn::LstmLanguageModel& model, const Vocabulary& vocabulary, const SampleOptions& options) {
  if (options.tokens < 1) fail_usage("--sample", fmt::format("is {}, must be at least 1", options.tokens));
  const NoGradGuard no_grad;
  Generator random(options.seed);
  nn::LanguageModelState state;
  Array last = Array::zeros({1, 1}, DType::i64), ids = Array::empty({options.tokens}, DType::i64);
  last.fill(static_cast<double>(vocabulary.id(vocabulary.kind() == TokenKind::words ? kEndOfLine : "\n")));
  for (std::int64_t i = 0; i < options.tokens; ++i) {
    const nn::LanguageModelOutput output = model(last, state);
    state = output.state;
    const std::int64_t id = draw_token(output.logits.value(), options.temperature, random.uniform());
    ids.data<std::int64_t>()[i] = id;
    last = Array::full({1, 1}, static_cast<double>(id), DType::i64);
  }
  return vocabulary.decode(ids);
}

}  // namespace tandem::examples
