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

// Beam search by its definition: one sentence, no cache, no batch.
Ids beam_search(nn::Transformer& model, const Array& source, std::size_t beams, std::size_t limit, double power) {
  struct Hypothesis {
    Ids ids;
    double log_probability = 0;
  };
  std::vector<Hypothesis> open(1);
  Ids best;
  double best_score = -std::numeric_limits<double>::infinity();
  std::size_t ended = 0;
  const auto end = [&](const Ids& sentence, double log_probability, std::size_t tokens) {
    const double score = log_probability / std::pow((5 + static_cast<double>(tokens)) / 6, power);
    ++ended;
    if (score > best_score) best_score = score, best = sentence;
  };
  for (std::size_t tokens = 1; tokens <= limit && ended < beams; ++tokens) {
    std::vector<Hypothesis> all;
    for (const Hypothesis& before : open) {
      const std::vector<double> p = next_log_probabilities(model, source, before.ids);
      for (std::size_t id = 0; id < p.size(); ++id) {
        all.push_back({before.ids, before.log_probability + p[id]});
        all.back().ids.push_back(static_cast<std::int64_t>(id));
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.log_probability > b.log_probability; });
    open.clear();
    for (std::size_t rank = 0; rank < all.size() && open.size() < beams; ++rank) {
      Hypothesis& h = all[rank];
      if (h.ids.back() != 3) {
        open.push_back(h);
      } else if (rank < beams) {
        h.ids.pop_back();
        end(h.ids, h.log_probability, tokens);
      }
    }
  }
  if (ended >= beams) return best;
  for (const Hypothesis& h : open) end(h.ids, h.log_probability, limit);
  return best;
}

NamedTensors copy_of(const NamedTensors& tensors) {
  NamedTensors copy;
  for (const NamedTensor& t : tensors) copy.push_back({t.name, t.tensor.value().clone()});
  return copy;
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
  CHECK(nn::beam_decode(model, kSource, {.beams = 1}) == greedy);
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
    const nn::BeamOptions beam{.more = 0, .beams = 200, .length_power = power};
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

TEST_CASE("a few beams, cached and in a batch, find what beam search by its definition finds") {
  const std::int64_t lengths[] = {5, 3, 4};
  int unlike_greedy = 0;
  for (const std::uint64_t seed : {2, 3}) {
    nn::seed(seed);
    nn::Transformer model(tiny(11));
    make_lively(model);
    const NoGradGuard guard;
    const auto greedy = nn::greedy_decode(model, kSource);
    for (const std::int64_t beams : {2, 3}) {
      for (const double power : {0.0, 0.6}) {
        CAPTURE(seed);
        CAPTURE(beams);
        CAPTURE(power);
        const auto found = nn::beam_decode(model, kSource, {.more = 4, .beams = beams, .length_power = power});
        for (int row = 0; row < 3; ++row) {
          const auto limit = static_cast<std::size_t>(lengths[row] + 4);
          const Ids expected =
              beam_search(model, sentence(row, lengths[row]), static_cast<std::size_t>(beams), limit, power);
          CHECK(found[static_cast<std::size_t>(row)] == expected);
          unlike_greedy += expected == greedy[static_cast<std::size_t>(row)] ? 0 : 1;
        }
      }
    }
  }
  CHECK(unlike_greedy > 0);
}

TEST_CASE("decoding stands in evaluation behaviour by itself, and leaves the model as it was") {
  nn::seed(2);
  nn::Transformer model(tiny(11));
  make_lively(model);
  const auto greedy = nn::greedy_decode(model, kSource), beams = nn::beam_decode(model, kSource);
  CHECK_FALSE(model.is_training());
  model.train();
  nn::Module& part = *model.children().front().module;
  part.evaluate();
  const NamedTensors before = copy_of(model.random_state());
  REQUIRE_FALSE(before.empty());
  CHECK(nn::greedy_decode(model, kSource) == greedy);
  CHECK(nn::beam_decode(model, kSource) == beams);
  CHECK(error_text([&] { nn::greedy_decode(model, ids(Ids(15, 4), {1, 15})); }) != "no error");
  const NamedTensors after = model.random_state();
  for (std::size_t i = 0; i < before.size(); ++i) {
    CAPTURE(before[i].name);
    CHECK(identical(before[i].tensor.value(), after[i].tensor.value()));
  }
  for (const nn::NamedModule& m : model.modules()) {
    CAPTURE(m.name);
    CHECK(m.module->is_training() == (m.module != &part));
  }
}

TEST_CASE("decoding: the most tokens, and what is refused") {
  nn::seed(2);
  nn::Transformer model(tiny(11));
  make_lively(model);
  const auto decoded = nn::greedy_decode(model, kSource, {.end = -1, .more = 2});
  CHECK(decoded[0].size() == 7);
  CHECK(decoded[1].size() == 5);
  CHECK(nn::beam_decode(model, kSource, {.end = -1, .more = 2})[2].size() == 6);
  const Array padding = ids({0, 0, 0}, {1, 3});  // a sentence of no tokens may have a translation of one
  CHECK(nn::greedy_decode(model, padding, {.end = -1, .more = 0})[0].size() == 1);
  CHECK(nn::beam_decode(model, padding, {.end = -1, .more = 0})[0].size() == 1);
  CHECK(error_text([&] { nn::greedy_decode(model, kSource, {.more = -1}); }) ==
        "decode: more is -1, must be at least 0");
  CHECK(error_text([&] { nn::beam_decode(model, kSource, {.more = -7}); }) == "decode: more is -7, must be at least 0");
  CHECK(error_text([&] { nn::beam_decode(model, kSource, {.beams = 0}); }) ==
        "beam_decode: beams must be at least 1, length_power at least 0: beams 0, length_power 0.6");
  CHECK(error_text([&] { nn::greedy_decode(model, ids({1, 3}, {2})); }) == "decode: source must be [B, S]: source [2]");
}
