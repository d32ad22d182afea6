// Classifiers at work; see predict.h.
#include "predict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <tandem/tandem.h>
#include <tandem/train/predict_classes.h>

using namespace tandem;

namespace cifar {
namespace {

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

}  // namespace

int evaluate(const train::CommandLine& line, Measure measure) {
  return train::evaluate_images(
      line, [&](nn::Module& model, const nn::ModelInfo& info, const train::ImageData& data, const std::string& path) {
        check_size(info, data.test, path);
        Loader loader(with_labels_of(info, data.test, path),
                      {.batch = 500, .shuffle = false, .transform = normalize({info.mean, info.deviation})});
        return measure(model, loader, "test");
      });
}

int predict(const train::Options& options) {
  return train::predict_classes(options, [](const std::string& file, const nn::ModelInfo& info) {
    return train::read_picture(file, info, normalize({info.mean, info.deviation}));
  });
}

}  // namespace cifar
