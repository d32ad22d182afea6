// See lstm_lm.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/nn/sequential.h>

namespace tandem::nn {

namespace {

using Options = LstmLanguageModelOptions;

const Options& checked(const Options& o) {
  if (o.hidden.empty()) fail("LstmLanguageModel", "there is no layer");
  if (o.tied && o.hidden.back() != o.width) {
    fail("LstmLanguageModel", "a tied decoder needs a last layer as wide as the embedding",
         fmt::format("last layer {}, embedding {}", o.hidden.back(), o.width));
  }
  return o;
}

std::vector<LSTM::Options> layers_of(const Options& o) {
  std::vector<LSTM::Options> layers;
  std::int64_t in = o.width;
  for (const std::int64_t hidden : o.hidden) {
    layers.push_back({.in = in, .hidden = hidden, .weight_dropout = o.weight_dropout});
    in = hidden;
  }
  return layers;
}

std::shared_ptr<Module> dropout_of(const Options& o, double p) {
  if (o.locked) return layer<LockedDropout>({.p = p});
  return layer<Dropout>({.p = p});
}

/// From the last layer to the tokens, by the embedding's weight where it is tied.
std::shared_ptr<Module> decoder_of(const Options& o, const Tensor& embedding) {
  if (o.tied) return std::make_shared<TiedLinear>(TiedLinear::Options{}, embedding);
  auto linear = layer<Linear>({.in = o.hidden.back(), .out = o.tokens});
  init::uniform(linear->weight, -o.initial, o.initial);
  init::constant(linear->bias, 0);
  return linear;
}

}  // namespace

LanguageModelState LanguageModelState::detach() const {
  LanguageModelState copy;
  for (const RecurrentState& layer : layers) copy.layers.push_back(layer.detach());
  return copy;
}

LstmLanguageModel::LstmLanguageModel(const Options& options)
    : options_(checked(options)),
      encoder_(this, "encoder",
               {.tokens = options.tokens, .width = options.width, .dropout = options.embedding_dropout}),
      rnns_(this, "rnns", layers_of(options)),
      input_dropout_(this, "input_dropout", dropout_of(options, options.input_dropout)),
      hidden_dropout_(this, "hidden_dropout", dropout_of(options, options.hidden_dropout)),
      output_dropout_(this, "output_dropout", dropout_of(options, options.output_dropout)) {
  set_origin(origin_of("lstm", options));
  init::uniform(encoder_->weight, -options.initial, options.initial);
  decoder_ = {this, "decoder", decoder_of(options, encoder_->weight)};
  if (!options.uniform) return;
  for (NamedTensor& p : rnns_->parameters()) init::uniform(p.tensor, -options.initial, options.initial);
}

LanguageModelOutput LstmLanguageModel::operator()(const Tensor& ids, const LanguageModelState& state) {
  return enter(ids, [&](const Tensor& in) { return compute(in, state); });
}

LanguageModelOutput LstmLanguageModel::compute(const Tensor& ids, const LanguageModelState& state) {
  if (ids.rank() != 2) fail("language model", "ids must be [T, B]", "ids " + to_string(ids.shape()));
  if (!state.layers.empty() && state.layers.size() != rnns_->size()) {
    fail("language model", "the state has another number of layers",
         fmt::format("{} in the state, {} in the model", state.layers.size(), rnns_->size()));
  }
  LanguageModelOutput result;
  Tensor y = input_dropout_(encoder_(ids));
  for (std::size_t i = 0; i < rnns_->size(); ++i) {
    if (i > 0) y = hidden_dropout_(y);
    const RecurrentOutput output = (*rnns_)[i](y, state.layers.empty() ? RecurrentState{} : state.layers[i]);
    y = output.y;
    result.state.layers.push_back(output.state);
  }
  result.logits = decoder_(output_dropout_(y));
  return result;
}

std::string LstmLanguageModel::describe() const {
  return fmt::format("LstmLanguageModel({} tokens, embedding {}, LSTM {}{})", options_.tokens, options_.width,
                     fmt::join(options_.hidden, "-"), options_.tied ? ", tied" : "");
}

namespace {

Options zaremba(std::int64_t tokens, std::int64_t hidden, double dropout, double initial) {
  return {.tokens = tokens,
          .width = hidden,
          .hidden = {hidden, hidden},
          .input_dropout = dropout,
          .hidden_dropout = dropout,
          .output_dropout = dropout,
          .initial = initial,
          .uniform = true};
}

}  // namespace

const std::vector<std::string>& lstm_language_model_names() {
  static const std::vector<std::string> names{"lstm-small", "lstm-medium", "lstm-large", "awd-lstm", "char-lstm"};
  return names;
}

Options lstm_language_model(std::string_view name, std::int64_t tokens) {
  if (name == "lstm-small") return zaremba(tokens, 200, 0, 0.1);
  if (name == "lstm-medium") return zaremba(tokens, 650, 0.5, 0.05);
  if (name == "lstm-large") return zaremba(tokens, 1500, 0.65, 0.04);
  if (name == "awd-lstm") {
    return {.tokens = tokens,
            .width = 400,
            .hidden = {1150, 1150, 400},
            .tied = true,
            .embedding_dropout = 0.1,
            .input_dropout = 0.65,
            .hidden_dropout = 0.3,
            .output_dropout = 0.4,
            .weight_dropout = 0.5,
            .locked = true};
  }
  if (name == "char-lstm") {
    return {.tokens = tokens, .width = 64, .hidden = {256, 256}, .hidden_dropout = 0.1, .output_dropout = 0.1};
  }
  const std::vector<std::string>& names = lstm_language_model_names();
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("model", fmt::format("\"{}\" is not known", name), fmt::format("known are {}", fmt::join(names, ", ")),
             near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace tandem::nn
