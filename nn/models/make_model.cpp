// The table of models. Adding one: a row here. See make_model.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet.h>

namespace tandem::nn {

namespace {

struct Row {
  std::string name, description;
  std::shared_ptr<Module> (*make)(const ModelOptions&);
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {"resnet20", "ResNet-20 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet20(o.classes); }},
      {"resnet32", "ResNet-32 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet32(o.classes); }},
      {"resnet56", "ResNet-56 for CIFAR (He et al. 2016), stages 16-32-64, option A shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet56(o.classes); }},
      {"resnet18", "ResNet-18 for CIFAR (DeVries & Taylor 2017), stages 64-128-256-512, 1x1 convolution shortcuts",
       [](const ModelOptions& o) -> std::shared_ptr<Module> { return resnet18(o.classes); }},
  };
  return rows;
}

const Row& find(std::string_view name) {
  const auto at = std::find_if(table().begin(), table().end(), [&](const Row& r) { return r.name == name; });
  if (at != table().end()) return *at;
  const std::vector<std::string>& names = model_names();
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("model", fmt::format("\"{}\" is not known", name), fmt::format("known are {}", fmt::join(names, ", ")),
             near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace

std::shared_ptr<Module> make_model(std::string_view name, const ModelOptions& options) {
  return find(name).make(options);
}

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Row& row : table()) all.push_back(row.name);
    return all;
  }();
  return names;
}

std::string describe_model(std::string_view name) { return find(name).description; }

}  // namespace tandem::nn
