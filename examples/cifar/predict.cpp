// Classifiers at work; see predict.h.
#include "predict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include <tandem/tandem.h>

using namespace tandem;
using train::Metrics;

namespace cifar {
namespace {

constexpr std::size_t kShown = 3;  // classes a picture

/// The set with the labels that the model has for classes of these names.
Dataset with_labels_of(const nn::ModelInfo& info, Dataset set, const std::string& path) {
  if (set.classes == info.classes) return set;
  std::vector<std::int64_t> label_of;
  for (const std::string& name : set.classes) {
    const auto found = std::find(info.classes.begin(), info.classes.end(), name);
    if (found == info.classes.end())
      fail(path, fmt::format("the model does not know the class \"{}\"", name),
           fmt::format("its classes are {}", fmt::join(info.classes, ", ")));
    label_of.push_back(found - info.classes.begin());
  }
  Array labels = Array::empty(set.labels.shape(), DType::i64);
  for (std::int64_t i = 0; i < labels.size(); ++i)
    labels.data<std::int64_t>()[i] = label_of[static_cast<std::size_t>(set.labels.data<std::int64_t>()[i])];
  set.labels = labels;
  set.classes = info.classes;
  return set;
}

void check_size(const nn::ModelInfo& info, const Dataset& set, const std::string& path) {
  const Shape found = set.images.shape();
  if (found[1] == info.input[0] && found[2] == info.input[1] && found[3] == info.input[2]) return;
  fail(path, "the pictures have another size than those of training",
       fmt::format("{}x{}x{}, trained on {}x{}x{}", found[1], found[2], found[3], info.input[0], info.input[1],
                   info.input[2]),
       fmt::format("--size {} makes a folder's pictures so", info.input[1]));
}

/// A file as the model wants it: its largest window of the right proportions, resized, normalised: [1, C, H, W].
Array prepare(const std::string& file, const nn::ModelInfo& info) {
  Dataset one;
  one.name = file;
  one.images = cover(read_image(file), {info.input[1], info.input[2]});
  one.labels = Array::zeros({1}, DType::i64);
  one.classes = {"picture"};
  one.statistics = {info.mean, info.deviation};
  Loader loader(one, {.batch = 1, .shuffle = false, .workers = 0, .transform = normalize(one.statistics)});
  return loader.next()->images;
}

}  // namespace

int evaluate(const train::CommandLine& line, Measure measure) {
  const train::Options& options = line.options();
  const train::ImageData data = train::open_images(options);
  const auto checksum_text = fmt::format("{:016x}", checksum(data.train));
  std::vector<std::pair<std::string, Metrics>> all;
  bool is_announced = options.json;
  for (const train::SavedModel& saved : train::saved_models(options.evaluate)) {
    const auto [model, info] = nn::load_model(saved.path);
    const auto trained_on = info.extra.find("data_checksum");
    // A folder that is not that of training was not split for it either: all of it is new to the model.
    const bool is_other =
        options.dataset == "folder" && trained_on != info.extra.end() && trained_on->second != checksum_text;
    const Dataset set = is_other ? join(data.train, data.test) : data.test;
    if (!is_announced)
      fmt::print("data       {}{}\n", data.description,
                 is_other ? fmt::format("; not those of training: all {} are measured", set.size()) : "");
    is_announced = true;
    const std::string path = saved.path.string();
    check_size(info, set, path);
    model->evaluate();
    const NoGradGuard no_grad;
    Loader loader(with_labels_of(info, set, path),
                  {.batch = 500, .shuffle = false, .transform = normalize({info.mean, info.deviation})});
    all.emplace_back(saved.run, measure(*model, loader, "test"));
  }
  return train::print_evaluations(options, all);
}

int predict(const train::Options& options) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const train::SavedModel& saved : train::models_to_use(options)) {
    const auto [model, info] = nn::load_model(saved.path);
    if (info.classes.empty()) fail(saved.path.string(), "the model file does not name its classes");
    model->evaluate();
    const NoGradGuard no_grad;
    for (const std::string& file : options.predict) {
      const Tensor chances = softmax((*model)(prepare(file, info)), 1);
      const std::vector<float> p = chances.value().to_vector<float>();
      std::vector<std::size_t> order(p.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&p = p](std::size_t a, std::size_t b) { return p[a] > p[b]; });
      std::string text = file;
      nlohmann::ordered_json classes = nlohmann::ordered_json::array();
      for (std::size_t i = 0; i < std::min(kShown, order.size()); ++i) {
        text += fmt::format("  {} {:.4f}", info.classes[order[i]], p[order[i]]);
        classes.push_back({{"class", info.classes[order[i]]}, {"probability", p[order[i]]}});
      }
      json.push_back({{"model", saved.run}, {"file", file}, {"classes", classes}});
      if (!options.json) fmt::print("{}\n", text);
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return train::kExitDone;
}

}  // namespace cifar
