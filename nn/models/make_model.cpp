// The table of models. Adding one that comes with Tandem: a row in builtin(). See make_model.h.
#include <algorithm>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/nn/models/autoencoder.h>
#include <tandem/nn/models/convnet.h>
#include <tandem/nn/models/gpt.h>
#include <tandem/nn/models/lstm_lm.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/models/resnet50.h>
#include <tandem/nn/models/transformer.h>
#include <tandem/nn/models/vae.h>

namespace tandem::nn {

namespace {

struct Row {
  std::string name;
  ModelEntry entry;
};

/// A model of the class M whose options are `defaults` but for those that are given.
template <class M, class Options>
Row row(std::string name, ModelTask task, std::string description, Options defaults) {
  return {std::move(name), {task, std::move(description), [defaults](OptionReader& option) -> std::shared_ptr<Module> {
                              Options o = defaults;
                              visit_options(o, option);
                              return std::make_shared<M>(o);
                            }}};
}

using MakeResNet = std::shared_ptr<ResNet> (*)(std::int64_t classes, std::int64_t channels);

Row resnet_row(std::string name, std::string description, MakeResNet make) {
  return {std::move(name),
          {ModelTask::classification, std::move(description), [make](OptionReader& option) -> std::shared_ptr<Module> {
             std::int64_t classes = 10, channels = 3;
             option("classes", classes);
             option("channels", channels);
             return make(classes, channels);
           }}};
}

std::vector<Row> builtin() {
  std::vector<Row> rows{
      resnet_row("resnet20", "ResNet-20 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts", resnet20),
      resnet_row("resnet32", "ResNet-32 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts", resnet32),
      resnet_row("resnet56", "ResNet-56 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts", resnet56),
      resnet_row("resnet18",
                 "ResNet-18 for CIFAR (DeVries & Taylor 2017), stages 64-128-256-512, 1x1 convolution shortcuts",
                 resnet18),
      row<BottleneckResNet>("resnet50", ModelTask::classification,
                            "ResNet-50 for ImageNet (He et al. 2016), torchvision's names, pictures from 32x32 up",
                            BottleneckResNetOptions{}),
      row<ResNet>("resnet", ModelTask::other, "A residual network of any widths, blocks and shortcuts",
                  ResNetOptions{}),
      {"convnet",
       {ModelTask::classification, "Three convolutions and a linear layer, for pictures of 16x16 (models/convnet.h)",
        [](OptionReader& option) -> std::shared_ptr<Module> {
          ConvNetOptions o;
          option("classes", o.classes);
          option("channels", o.channels);
          option("width", o.width);
          return convnet(o);
        }}},
      row<ConvAutoencoder>("autoencoder", ModelTask::reconstruction,
                           "Convolutional autoencoder with a bottleneck of an eighth of a colour image's numbers; "
                           "sizes in multiples of 8",
                           AutoencoderOptions{}),
      row<ConvVae>(
          "vae", ModelTask::reconstruction,
          "Convolutional variational autoencoder (Kingma & Welling 2014), 128 latent numbers, Gaussian likelihood",
          VaeOptions{}),
  };
  for (const std::string& name : lstm_language_model_names()) {
    rows.push_back(row<LstmLanguageModel>(name, ModelTask::language, "LSTM language model, its sizes from the papers",
                                          lstm_language_model(name, 0)));
  }
  rows.push_back(row<LstmLanguageModel>("lstm", ModelTask::other, "LSTM language model of any sizes and dropouts",
                                        LstmLanguageModelOptions{}));
  rows.push_back(row<Transformer>("transformer", ModelTask::translation,
                                  "Transformer with encoder and decoder (Vaswani et al. 2017)", TransformerOptions{}));
  rows.push_back(row<Gpt>("gpt", ModelTask::other,
                          "Decoder-only Transformer for text (Radford et al. 2019), nanoGPT's sizes for characters",
                          GptOptions{}));
  return rows;
}

std::recursive_mutex table_mutex;  // a model may be made of models

std::vector<Row>& table() {
  static std::vector<Row> rows = builtin();
  return rows;
}

const ModelEntry& find(std::string_view name) {
  const auto at = std::find_if(table().begin(), table().end(), [&](const Row& r) { return r.name == name; });
  if (at != table().end()) return at->entry;
  const std::vector<std::string> names = model_names();
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("model", fmt::format("\"{}\" is not known", name), fmt::format("known are {}", fmt::join(names, ", ")),
             near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace

void register_model(const std::string& name, ModelEntry entry) {
  const std::lock_guard lock(table_mutex);
  const std::string where = fmt::format("register_model: \"{}\"", name);
  if (name.empty() || !entry.make) fail(where, "a model needs a name and a function that makes it");
  const std::vector<std::string> names = model_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) fail(where, "the name is taken");
  table().push_back({name, std::move(entry)});
}

std::shared_ptr<Module> make_model(std::string_view name, const ModelOptions& options) {
  const std::lock_guard lock(table_mutex);
  const ModelEntry entry = find(name);
  OptionReader option{std::string(name), options};
  std::shared_ptr<Module> model = entry.make(option);
  option.finish();
  if (!model) fail(fmt::format("model \"{}\"", name), "its function made nothing");
  model->set_origin({std::string(name), option.resolved()});
  return model;
}

std::vector<std::string> model_names(ModelTask task) {
  const std::lock_guard lock(table_mutex);
  std::vector<std::string> names;
  for (const Row& row : table()) {
    if (row.entry.task == task) names.push_back(row.name);
  }
  return names;
}

std::vector<std::string> model_names() {
  const std::lock_guard lock(table_mutex);
  std::vector<std::string> names;
  for (const Row& row : table()) names.push_back(row.name);
  return names;
}

std::string describe_model(std::string_view name) {
  const std::lock_guard lock(table_mutex);
  return find(name).description;
}

}  // namespace tandem::nn
