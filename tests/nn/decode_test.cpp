// Decoding: with a cache as without, beams against the search of everything, sentences of a batch as alone.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/decode.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

using Ids = std::vector<std::int64_t>;

// Weights so large that the likeliest token depends on what stands before.
nn::TransformerOptions tiny(std::int64_t target_tokens) {
  return {.source_tokens = 12,
          .target_tokens = target_tokens,
          .width = 16,
          .heads = 2,
          .feedforward = 24,
          .encoder_layers = 2,
          .decoder_layers = 2,
          .positions = 14,
          .dropout = 0.1};
}

void make_lively(nn::Transformer& model) {
  for (const NamedTensor& p : model.parameters())
    if (p.tensor.rank() == 2) nn::init::normal(p.tensor, 0, 0.6);
  model.evaluate();
}

Array ids(const Ids& values, const Shape& shape) { return Array::from(values, shape); }

const Array kSource = ids({4, 5, 6, 7, 3, 8, 9, 3, 0, 0, 10, 11, 4, 3, 0}, {3, 5});
Array sentence(int row, std::int64_t length) { return kSource.slice(0, row, row + 1).slice(1, 0, length); }

// log p of the next token after `before`, without a cache.
std::vector<double> next_log_probabilities(nn::Transformer& model, const Array& source, const Ids& before) {
  Ids input = before;
  input.insert(input.begin(), 2);
  const auto n = static_cast<std::int64_t>(input.size());
  const Tensor logits = model(source, ids(input, {1, n}));
  return log_softmax(slice(logits, 1, n - 1, n), 2).value().to_vector<double>();
}

}  // namespace

TEST_CASE("greedy decoding with a cache takes the likeliest token of the model without one, step by step") {
  nn::seed(2);
  nn::Transformer model(tiny(11));
  make_lively(model);
  const NoGradGuard guard;
  const auto decoded = nn::greedy_decode(model, kSource);
  const std::int64_t lengths[] = {5, 3, 4};
  for (int row = 0; row < 3; ++row) {
    const Ids& found = decoded[static_cast<std::size_t>(row)];
    Ids expected;
    while (expected.size() < 14) {
      const std::vector<double> p = next_log_probabilities(model, sentence(row, lengths[row]), expected);
      const auto best = std::max_element(p.begin(), p.end()) - p.begin();
      if (best == 3) break;
      expected.push_back(best);
    }
    CHECK(found == expected);
  }
}

TEST_CASE("one beam is greedy; sentences of a batch are translated as alone") {
  nn::seed(2);
  nn::Transformer model(tiny(11));
  make_lively(model);
  const auto greedy = nn::greedy_decode(model, kSource);
  nn::BeamOptions one;
  one.beams = 1;
  CHECK(nn::beam_decode(model, kSource, one) == greedy);
  const auto beams = nn::beam_decode(model, kSource);
  const std::int64_t lengths[] = {5, 3, 4};
  for (int row = 0; row < 3; ++row) {
    const auto i = static_cast<std::size_t>(row);
    CHECK(nn::greedy_decode(model, sentence(row, lengths[row]))[0] == greedy[i]);
    CHECK(nn::beam_decode(model, sentence(row, lengths[row]))[0] == beams[i]);
  }
}

TEST_CASE("as many beams as there are translations find the best of all") {
  nn::seed(6);
  nn::TransformerOptions options = tiny(6);
  options.positions = 5;
  nn::Transformer model(options);
  make_lively(model);
  const NoGradGuard guard;
  for (const double power : {0.0, 0.6, 2.0}) {
    nn::BeamOptions beam;
    beam.beams = 200;
    beam.more = 0;
    beam.length_power = power;
    for (int row = 0; row < 3; ++row) {
      const Array source = sentence(row, 3);  // at most three tokens
      Ids best;
      double best_score = -std::numeric_limits<double>::infinity();
      const std::function<void(const Ids&, double)> search = [&](const Ids& before, double log_probability) {
        const auto norm = [&](std::size_t n) { return std::pow((5 + static_cast<double>(n)) / 6, power); };
        const auto offer = [&](double score) {
          if (score <= best_score) return;
          best_score = score;
          best = before;
        };
        if (before.size() == 3) return offer(log_probability / norm(3));
        const std::vector<double> p = next_log_probabilities(model, source, before);
        offer((log_probability + p[3]) / norm(before.size() + 1));
        for (std::int64_t id = 0; id < 6; ++id) {
          if (id == 3) continue;
          Ids longer = before;
          longer.push_back(id);
          search(longer, log_probability + p[static_cast<std::size_t>(id)]);
        }
      };
      search({}, 0);
      CHECK(nn::beam_decode(model, source, beam)[0] == best);
    }
  }
}

TEST_CASE("decoding: the most tokens, and what is refused") {
  nn::seed(2);
  nn::Transformer model(tiny(11));
  make_lively(model);
  nn::DecodeOptions never;
  never.end = -1;
  never.more = 2;
  const auto decoded = nn::greedy_decode(model, kSource, never);
  CHECK(decoded[0].size() == 7);
  CHECK(decoded[1].size() == 5);
  nn::BeamOptions beam;
  beam.end = -1;
  beam.more = 2;
  CHECK(nn::beam_decode(model, kSource, beam)[2].size() == 6);
  beam.beams = 0;
  CHECK(error_text([&] { nn::beam_decode(model, kSource, beam); }) ==
        "beam_decode: beams must be at least 1, length_power at least 0: beams 0, length_power 0.6");
  CHECK(error_text([&] { nn::greedy_decode(model, ids({1, 3}, {2})); }) == "decode: source must be [B, S]: source [2]");
}
