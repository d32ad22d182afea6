// make_model: models by the names that command lines take.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// What a model is for, and so what forward gives.
enum class ModelTask {
  classification,  ///< images -> logits [N, classes]
  reconstruction,  ///< images in [0, 1] -> images: ConvAutoencoder, ConvVae
};

struct ModelOptions {
  std::int64_t classes = 10;  ///< classification only
  std::int64_t channels = 3;  ///< of the images; reconstruction only
  std::int64_t size = 32;     ///< height and width of the images; only "vae" is made for one size
};

/// A new model; its weights are drawn from default_generator(). Throws UsageError that lists the names, and suggests
/// one, for a name that is not known.
std::shared_ptr<Module> make_model(std::string_view name, const ModelOptions& options = {});

/// "resnet20", "resnet32", "resnet56", "resnet18"; "autoencoder", "vae".
std::vector<std::string> model_names(ModelTask task);

/// One line that says which model of the literature the name means. Throws UsageError as make_model does.
std::string describe_model(std::string_view name);

}  // namespace tandem::nn
