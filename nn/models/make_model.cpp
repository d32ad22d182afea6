// The table of models. Adding one: a row here. See make_model.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/models/vae.h>

namespace tandem::nn {

namespace {

struct Row {
  std::string name;
  ModelTask task;
  std::string description;
  std::shared_ptr<Module> (*make)(const ModelOptions&);
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {"resnet20", ModelTask::classification,
       "ResNet-20 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet20(o.classes); }},
      {"resnet32", ModelTask::classification,
       "ResNet-32 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet32(o.classes); }},
      {"resnet56", ModelTask::classification,
       "ResNet-56 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet56(o.classes); }},
      {"resnet18", ModelTask::classification,
       "ResNet-18 for CIFAR (DeVries & Taylor 2017), stages 64-128-256-512, 1x1 convolution shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet18(o.classes); }},
      {"autoencoder", ModelTask::reconstruction,
       "Convolutional autoencoder with a bottleneck of an eighth of a colour image's numbers; sizes in multiples of 8",
       [](const ModelOptions& o) -> std::shared_ptr<Module> {
         return std::make_shared<ConvAutoencoder>(AutoencoderOptions{.channels = o.channels});
       }},
      {"vae", ModelTask::reconstruction,
       "Convolutional variational autoencoder (Kingma & Welling 2014), 128 latent numbers, Gaussian likelihood",
       [](const ModelOptions& o) -> std::shared_ptr<Module> {
         return std::make_shared<ConvVae>(VaeOptions{.channels = o.channels, .size = o.size});
       }},
  };
  return rows;
}

const Row& find(std::string_view name) {
  const auto at = std::find_if(table().begin(), table().end(), [&](const Row& r) { return r.name == name; });
  if (at != table().end()) return *at;
  std::vector<std::string> names;
  for (const Row& row : table()) names.push_back(row.name);
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("model", fmt::format("\"{}\" is not known", name), fmt::format("known are {}", fmt::join(names, ", ")),
             near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace

std::shared_ptr<Module> make_model(std::string_view name, const ModelOptions& options) {
  return find(name).make(options);
}

std::vector<std::string> model_names(ModelTask task) {
  std::vector<std::string> names;
  for (const Row& row : table()) {
    if (row.task == task) names.push_back(row.name);
  }
  return names;
}

std::string describe_model(std::string_view name) { return find(name).description; }

}  // namespace tandem::nn
