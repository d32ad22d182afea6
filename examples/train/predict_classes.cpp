// Classifiers at work. See predict_classes.h.
#include "predict_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>

#include "program.h"
#include "saved_models.h"

namespace tandem::train {
namespace {

constexpr std::size_t kShown = 3;  // classes a picture

}  // namespace

int predict_classes(const Options& options, const ReadPicture& read) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  const std::vector<SavedModel> models = models_to_use(options);
  for (const SavedModel& saved : models) {
    const auto [model, info] = nn::load_model(saved.path);
    if (info.classes.empty()) fail(saved.path.string(), "the model file does not name its classes");
    model->evaluate();
    const NoGradGuard no_grad;
    for (const std::string& file : options.predict) {
      const Tensor chances = softmax((*model)(read(file, info)), 1);
      const std::vector<float> p = chances.value().to_vector<float>();
      std::vector<std::size_t> order(p.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&p = p](std::size_t a, std::size_t b) { return p[a] > p[b]; });
      std::string text = models.size() > 1 ? fmt::format("{}  {}", saved.run, file) : file;
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
  return kExitDone;
}

}  // namespace tandem::train
