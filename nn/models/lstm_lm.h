// LstmLanguageModel: embedding, LSTM layers, and a linear layer to the next token, with the dropouts of two papers.
//   ids [T, B] -> embedding -> dropout -> LSTM 0 -> dropout -> ... -> LSTM n -> dropout -> decoder
//     -> logits [T, B, tokens]
// Named models: Zaremba et al. 2014, "Recurrent neural network regularization" (small, medium, large); AWD-LSTM of
// Merity et al. 2018, "Regularizing and optimizing LSTM language models", https://arxiv.org/abs/1708.02182, with its
// dropouts, without its activation regularisers AR and TAR; a small one for characters, of our own.
// Read next: nn/recurrent.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/nn/dropout.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/layer_stack.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/locked_dropout.h>
#include <tandem/nn/lstm.h>
#include <tandem/nn/tied_linear.h>

namespace tandem::nn {

struct LstmLanguageModelOptions {
  std::int64_t tokens = 0;                        ///< in the vocabulary
  std::int64_t width = 650;                       ///< of the embedding
  std::vector<std::int64_t> hidden = {650, 650};  ///< of each LSTM layer
  bool tied = false;             ///< the decoder's weight is the embedding's; the last layer then has `width` units
  double embedding_dropout = 0;  ///< whole tokens
  double input_dropout = 0;      ///< after the embedding
  double hidden_dropout = 0;     ///< between layers
  double output_dropout = 0;     ///< after the last layer
  double weight_dropout = 0;     ///< of the recurrent weights
  bool locked = false;           ///< one dropout mask for all steps
  double initial = 0.1;          ///< embedding and decoder from U(-initial, initial)
  bool uniform = false;          ///< so the LSTM's weights too; else PyTorch's U(-1/sqrt(hidden), 1/sqrt(hidden))
};

/// Every option by its name, for files and command lines (nn/model_options.h): option("tokens", o.tokens) and so on.
template <class Option>
void visit_options(LstmLanguageModelOptions& o, Option&& option) {
  option("tokens", o.tokens);
  option("width", o.width);
  option("hidden", o.hidden);
  option("tied", o.tied);
  option("embedding_dropout", o.embedding_dropout);
  option("input_dropout", o.input_dropout);
  option("hidden_dropout", o.hidden_dropout);
  option("output_dropout", o.output_dropout);
  option("weight_dropout", o.weight_dropout);
  option("locked", o.locked);
  option("initial", o.initial);
  option("uniform", o.uniform);
}

/// The states of all layers, carried from one part of a text to the next.
struct LanguageModelState {
  std::vector<RecurrentState> layers;

  LanguageModelState detach() const;
};

struct LanguageModelOutput {
  Tensor logits;  ///< [T, B, tokens]
  LanguageModelState state;
};
inline Tensor& output_of(LanguageModelOutput& output) { return output.logits; }

/// Parameters: encoder.weight, rnns.0.weight_ih_l0 ..., decoder.weight (with `tied`: encoder.weight), decoder.bias.
class LstmLanguageModel : public Module {
 public:
  using Options = LstmLanguageModelOptions;
  /// Throws Error when a size is below 1, a dropout outside [0, 1), or tied layers differ in width.
  explicit LstmLanguageModel(const Options& options);

  using Module::operator();
  /// ids i64 [T, B], from a state (empty: zeros). Throws Error for ids outside the vocabulary.
  LanguageModelOutput operator()(const Tensor& ids, const LanguageModelState& state);

  std::string describe() const override;
  const Options& options() const { return options_; }

 protected:
  Tensor forward(const Tensor& ids) override { return compute(ids, {}).logits; }

 private:
  LanguageModelOutput compute(const Tensor& ids, const LanguageModelState& state);

  Options options_;
  Sub<Embedding> encoder_;
  Sub<LayerStack<LSTM>> rnns_;
  Sub<Module> input_dropout_, hidden_dropout_, output_dropout_, decoder_;
};

/// "lstm-small", "lstm-medium", "lstm-large" (Zaremba et al.: 2 x 200, 2 x 650 with dropout .5, 2 x 1500 with .65) or
/// "awd-lstm" (3 layers of 1150, 1150 and 400, tied, the Lookahead paper's dropouts; no AR and TAR) or "char-lstm" (2 x
/// 256 on embeddings of 64, dropout .1, for characters). Throws UsageError that lists them.
LstmLanguageModelOptions lstm_language_model(std::string_view name, std::int64_t tokens);
const std::vector<std::string>& lstm_language_model_names();

}  // namespace tandem::nn
