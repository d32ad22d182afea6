// The LSTM language models: the named ones, their dropouts, texts in parts.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/lstm.h>
#include <tandem/nn/models/lstm_lm.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return max(abs(a - b)).item();
}

Tensor ids(const std::vector<std::int64_t>& values, const Shape& shape) { return Array::from(values, shape); }

}  // namespace

TEST_CASE("language models: the named ones, their sizes, and tied weights") {
  const auto count = [](const char* name, std::int64_t tokens) {
    return nn::LstmLanguageModel(nn::lstm_language_model(name, tokens)).parameter_count();
  };
  // embedding + 2 layers of 4 (H H + H H + 2 H) + decoder
  CHECK(count("lstm-medium", 100) == 100 * 650 + 2 * (8 * 650 * 650 + 8 * 650) + 650 * 100 + 100);
  CHECK(count("lstm-small", 100) == 100 * 200 + 2 * (8 * 200 * 200 + 8 * 200) + 200 * 100 + 100);
  nn::LstmLanguageModel awd(nn::lstm_language_model("awd-lstm", 50));
  CHECK(awd.parameter_count() ==
        50 * 400 + 4 * 1150 * (400 + 1150 + 2) + 4 * 1150 * (1150 + 1150 + 2) + 4 * 400 * (1150 + 400 + 2) + 50);
  CHECK(awd.parameters().front().name == "encoder.weight");
  CHECK(awd.parameters().back().name == "decoder.bias");
  awd.load_state_dict({{"decoder.weight", Tensor(Array::full({50, 400}, 2))}}, {.strict = false});
  CHECK(awd.parameters().front().tensor.value().at({0, 0}) == 2);
  CHECK(error_text([] { nn::lstm_language_model("awd-lsm", 5); }) ==
        "model: \"awd-lsm\" is not known: known are lstm-small, lstm-medium, lstm-large, awd-lstm, char-lstm; did you "
        "mean \"awd-lstm\"?");
  CHECK(error_text([] { nn::LstmLanguageModel({.tokens = 5, .width = 3, .hidden = {4}, .tied = true}); }) ==
        "LstmLanguageModel: a tied decoder needs a last layer as wide as the embedding: last layer 4, embedding 3");
}

namespace {

/// What the layers of a language model gave in one call, by name; hidden_dropout's last.
struct Seen {
  std::map<std::string, std::pair<Array, Array>> calls;  // x and y
  Array logits;

  const Array& y(const std::string& name) const { return calls.at(name).second; }
  bool drops(const std::string& name) const { return !identical(calls.at(name).first, calls.at(name).second); }
  /// 1 where y kept x, 0 where it dropped it.
  std::vector<double> kept(const std::string& name) const {
    const std::vector<double> in = calls.at(name).first.to_vector<double>(), out = y(name).to_vector<double>();
    std::vector<double> flags;
    for (std::size_t i = 0; i < in.size(); ++i) {
      REQUIRE(in[i] != 0);
      CHECK((out[i] == 0 || out[i] == doctest::Approx(2 * in[i])));
      flags.push_back(out[i] == 0 ? 0 : 1);
    }
    return flags;
  }
};

Seen observe(nn::LstmLanguageModel& model, const Tensor& text) {
  Seen seen;
  std::vector<nn::HookHandle> hooks;
  for (const nn::NamedModule& m : model.modules()) {
    hooks.push_back(
        m.module->register_forward_hook([&call = seen.calls[m.name]](nn::Module&, const Tensor& x, const Tensor& y) {
          call = {x.value(), y.value()};
        }));
  }
  seen.logits = model(text).value();
  return seen;
}

const char* const kDropouts[] = {"input_dropout", "hidden_dropout", "output_dropout"};

}  // namespace

TEST_CASE("language models: each dropout acts where it says, locked masks at all steps alike") {
  const std::int64_t T = 6, B = 4;
  std::vector<std::int64_t> tokens;
  for (std::int64_t i = 0; i < T * B; ++i) tokens.push_back(i % 7);
  const Tensor text = ids(tokens, {T, B});
  for (const bool locked : {false, true}) {
    for (const std::string active : kDropouts) {
      CAPTURE(locked);
      CAPTURE(active);
      nn::seed(3);
      nn::LstmLanguageModelOptions options{.tokens = 7, .width = 10, .hidden = {12, 14}, .locked = locked};
      if (active == "input_dropout") options.input_dropout = 0.5;
      if (active == "hidden_dropout") options.hidden_dropout = 0.5;
      if (active == "output_dropout") options.output_dropout = 0.5;
      nn::LstmLanguageModel model(options);
      const Seen seen = observe(model, text);
      for (const std::string name : kDropouts) CHECK(seen.drops(name) == (name == active));
      const std::vector<double> kept = seen.kept(active);
      const auto features = static_cast<std::size_t>(seen.y(active).shape(2)), step = kept.size() / T;
      CHECK(features == (active == "input_dropout" ? 10U : active == "hidden_dropout" ? 12U : 14U));
      const double share = std::accumulate(kept.begin(), kept.end(), 0.0) / static_cast<double>(kept.size());
      CHECK(share > 0.25);
      CHECK(share < 0.75);
      bool is_repeated = true;
      for (std::size_t i = step; i < kept.size(); ++i) is_repeated = is_repeated && kept[i] == kept[i - step];
      CHECK(is_repeated == locked);
      model.evaluate();
      const Seen plain = observe(model, text);
      for (const std::string name : kDropouts) CHECK_FALSE(plain.drops(name));
    }
  }
}

TEST_CASE("language models: embedding dropout takes whole tokens, weight dropout the recurrent weights alone") {
  std::vector<std::int64_t> tokens;
  for (std::int64_t i = 0; i < 40; ++i) tokens.push_back(i % 20);
  const Tensor text = ids(tokens, {10, 4});
  nn::seed(3);
  nn::LstmLanguageModel by_token({.tokens = 20, .width = 5, .hidden = {6, 6}, .embedding_dropout = 0.5});
  const Seen seen = observe(by_token, text);
  for (const std::string name : kDropouts) CHECK_FALSE(seen.drops(name));
  const std::vector<double> y = seen.y("encoder").to_vector<double>();
  int dropped = 0;
  for (std::size_t place = 0; place < 40; ++place) {
    for (std::size_t i = 1; i < 5; ++i) CHECK((y[place * 5 + i] == 0) == (y[place * 5] == 0));
    if (place >= 20) CHECK((y[place * 5] == 0) == (y[(place - 20) * 5] == 0));  // the same token
    dropped += y[place * 5] == 0 ? 1 : 0;
  }
  CHECK(dropped > 8);
  CHECK(dropped < 32);

  nn::LstmLanguageModel by_weight({.tokens = 20, .width = 5, .hidden = {6, 6}, .weight_dropout = 0.5});
  const Tensor first = slice(text, 0, 0, 1);
  const Seen trained = observe(by_weight, text), trained_first = observe(by_weight, first);
  for (const std::string name : kDropouts) CHECK_FALSE(trained.drops(name));
  by_weight.evaluate();
  CHECK_FALSE(identical(trained.logits, by_weight(text).value()));
  CHECK(identical(trained_first.logits, by_weight(first).value()));  // from state 0 recurrent weights do nothing
}

TEST_CASE("language models: AWD-LSTM made small goes forward and backward with all its dropouts") {
  nn::LstmLanguageModelOptions options = nn::lstm_language_model("awd-lstm", 20);
  for (const double p : {options.embedding_dropout, options.input_dropout, options.hidden_dropout,
                         options.output_dropout, options.weight_dropout})
    CHECK(p > 0);
  CHECK(options.locked);
  options.width = 8;
  options.hidden = {12, 12, 8};
  nn::seed(3);
  nn::LstmLanguageModel model(options);
  const Tensor text = ids({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {6, 2});
  const Seen seen = observe(model, text);
  CHECK(seen.logits.shape() == Shape{6, 2, 20});
  for (const std::string name : kDropouts) CHECK(seen.drops(name));
  CHECK_FALSE(identical(seen.logits, model(text).value()));
  sum(square(model(text))).backward();
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    REQUIRE(p.tensor.has_grad());
    CHECK(std::isfinite(sum(p.tensor.grad()).item()));
  }
  model.evaluate();
  CHECK(identical(model(text).value(), model(text).value()));
}

TEST_CASE("language models: a text in parts equals the whole, and learns") {
  nn::seed(2);
  nn::LstmLanguageModel model({.tokens = 7, .width = 6, .hidden = {8, 6}, .tied = true});
  const Tensor text = ids({0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4}, {6, 2});
  const nn::LanguageModelOutput first = model(slice(text, 0, 0, 3), {});
  const nn::LanguageModelOutput second = model(slice(text, 0, 3, 6), first.state.detach());
  CHECK(difference(cat({first.logits, second.logits}, 0), model(text)) < 1e-6);
  CHECK(first.logits.shape() == Shape{3, 2, 7});
  sum(model(text)).backward();
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    CHECK(p.tensor.has_grad());
  }
  CHECK(error_text([&] {
          model(ids({1, 9}, {1, 2}));
        }) ==
        "layer \"encoder\" Embedding(7 tokens -> 6): embedding: index out of range: index[0, 1] is 9, valid "
        "are 0..6");
  const Tensor next = reshape(slice(text, 0, 1, 6), {10});
  std::vector<double> losses;
  for (int step = 0; step < 6; ++step) {
    for (NamedTensor& p : model.parameters()) p.tensor.zero_grad();
    const Tensor loss = cross_entropy(reshape(model(slice(text, 0, 0, 5)), {10, 7}), next);
    losses.push_back(loss.item());
    loss.backward();
    for (NamedTensor& p : model.parameters())
      p.tensor.mutable_value().copy_from((p.tensor.detach() - p.tensor.grad() * 0.5).value());
  }
  for (std::size_t i = 1; i < losses.size(); ++i) CHECK(losses[i] < losses[i - 1]);
  CHECK(losses.front() == doctest::Approx(std::log(7.0)).epsilon(0.05));
}
