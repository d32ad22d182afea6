// See lstm_lm.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/models/lstm_lm.h>

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

/// Names the layers "rnns.0", "rnns.1"; the model calls them itself, because each has a state.
struct Layers : Module {
  explicit Layers(const std::vector<std::unique_ptr<LSTM>>& layers) {
    for (std::size_t i = 0; i < layers.size(); ++i) child(std::to_string(i), *layers[i]);
  }
  std::string describe() const override { return fmt::format("{} layers", children().size()); }

 protected:
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (const NamedModule& layer : children()) y = (*layer.module)(y);
    return y;
  }
};

}  // namespace

LanguageModelState LanguageModelState::detach() const {
  LanguageModelState copy;
  for (const RecurrentState& layer : layers) copy.layers.push_back(layer.detach());
  return copy;
}

std::unique_ptr<Module> LstmLanguageModel::make_dropout(double p) const {
  if (options_.locked) return std::make_unique<LockedDropout>(LockedDropout::Options{.p = p});
  return std::make_unique<Dropout>(Dropout::Options{.p = p});
}

LstmLanguageModel::LstmLanguageModel(const Options& options)
    : options_(checked(options)),
      encoder_({.tokens = options.tokens, .width = options.width, .dropout = options.embedding_dropout}) {
  set_origin(origin_of("lstm", options));
  std::int64_t in = options.width;
  for (const std::int64_t hidden : options.hidden) {
    layers_.push_back(
        std::make_unique<LSTM>(LSTM::Options{.in = in, .hidden = hidden, .weight_dropout = options.weight_dropout}));
    in = hidden;
  }
  rnns_ = std::make_unique<Layers>(layers_);
  input_dropout_ = make_dropout(options.input_dropout);
  hidden_dropout_ = make_dropout(options.hidden_dropout);
  output_dropout_ = make_dropout(options.output_dropout);
  child("encoder", encoder_);
  child("rnns", *rnns_);
  child("input_dropout", *input_dropout_);
  child("hidden_dropout", *hidden_dropout_);
  child("output_dropout", *output_dropout_);
  init::uniform(encoder_.weight, -options.initial, options.initial);
  if (options.tied) {
    decoder_ = std::make_unique<TiedLinear>(TiedLinear::Options{}, encoder_.weight);
  } else {
    auto linear = std::make_unique<Linear>(Linear::Options{.in = in, .out = options.tokens});
    init::uniform(linear->weight, -options.initial, options.initial);
    init::constant(linear->bias, 0);
    decoder_ = std::move(linear);
  }
  child("decoder", *decoder_);
  if (!options.uniform) return;
  for (NamedTensor& p : rnns_->parameters()) init::uniform(p.tensor, -options.initial, options.initial);
}

LanguageModelOutput LstmLanguageModel::operator()(const Tensor& ids, const LanguageModelState& state) {
  LanguageModelOutput result;
  enter(ids, [&] {
    result = compute(ids, state);
    return result.logits;
  });
  return result;
}

LanguageModelOutput LstmLanguageModel::compute(const Tensor& ids, const LanguageModelState& state) {
  if (ids.rank() != 2) fail("language model", "ids must be [T, B]", "ids " + to_string(ids.shape()));
  if (!state.layers.empty() && state.layers.size() != layers_.size()) {
    fail("language model", "the state has another number of layers",
         fmt::format("{} in the state, {} in the model", state.layers.size(), layers_.size()));
  }
  LanguageModelOutput result;
  Tensor y = (*input_dropout_)(encoder_(ids));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) y = (*hidden_dropout_)(y);
    const RecurrentOutput output = (*layers_[i])(y, state.layers.empty() ? RecurrentState{} : state.layers[i]);
    y = output.y;
    result.state.layers.push_back(output.state);
  }
  result.logits = (*decoder_)((*output_dropout_)(y));
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
