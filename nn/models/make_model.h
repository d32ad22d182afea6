// make_model: models by the names that command lines and model files take, and the table behind it, which is open:
// register_model adds a model of your own. Read next: nn/model_options.h, nn/model_file.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/nn/model_options.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// What a model is for, and so what forward gives.
enum class ModelTask {
  classification,  ///< images -> logits [N, classes]
  reconstruction,  ///< images in [0, 1] -> images: ConvAutoencoder, ConvVae
  language,        ///< ids [T, B] -> logits [T, B, tokens]: LstmLanguageModel
  translation,     ///< ids [B, S] and [B, T] -> logits [B, T, tokens]: Transformer
  other,           ///< "resnet", "lstm": families whose sizes are all options; "gpt"; what does none of the above
};

struct ModelEntry {
  ModelTask task = ModelTask::other;
  std::string description = {};  ///< one line
  /// A new model from its options. Called from one thread at a time.
  std::function<std::shared_ptr<Module>(OptionReader& option)> make = {};
};

/// Makes `name` known to make_model, load_model and clone. Throws Error when it is taken or there is no `make`.
void register_model(const std::string& name, ModelEntry entry);

/// A new model; its weights are drawn from default_generator(). It knows its origin(): name, and all options with the
/// values in force. Throws UsageError that lists the names, and suggests one, for a name that is not known, and for an
/// option that the model does not have or that cannot be read.
///   make_model("resnet20", {{"classes", 100}})
///   make_model("vae", ModelOptions::from_text("size=64, latent=32"))
std::shared_ptr<Module> make_model(std::string_view name, const ModelOptions& options = {});

/// All of a task, in the order of the table: "resnet20", "resnet32", "resnet56", "resnet18", "resnet50", "convnet";
/// "autoencoder", "vae"; those of lstm_language_model_names(); "transformer"; "resnet", "lstm", "gpt"; then what
/// register_model added.
std::vector<std::string> model_names(ModelTask task);
/// Of all tasks.
std::vector<std::string> model_names();

/// One line that says which model of the literature the name means. Throws UsageError as make_model does.
std::string describe_model(std::string_view name);

}  // namespace tandem::nn
