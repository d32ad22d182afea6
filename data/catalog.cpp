// The table of data sets by name. See catalog.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/core/error.h>
#include <tandem/data/catalog.h>
#include <tandem/data/cifar.h>
#include <tandem/data/image_folder.h>
#include <tandem/data/synthetic.h>

namespace tandem {

namespace {

struct Entry {
  const char* name;
  TrainTest (*open)(const OpenOptions& options);
};

TrainTest open_folder(const OpenOptions& options) {
  if (options.folder.empty())
    fail_usage("data set \"folder\"", "the folder with the images is not given", {}, "give it with --data");
  return read_image_folder(options.folder, {.size = options.size,
                                            .bad_files = options.skip_bad_files ? BadFiles::skip : BadFiles::refuse,
                                            .seed = options.seed});
}

const Entry kEntries[] = {
    {"cifar10", [](const OpenOptions& o) { return cifar10({.folder = o.folder}); }},
    {"cifar100", [](const OpenOptions& o) { return cifar100({.folder = o.folder}); }},
    {"folder", open_folder},
    {"synthetic", [](const OpenOptions& o) { return synthetic({.seed = o.seed}); }},
};

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Entry& entry : kEntries) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

TrainTest open_dataset(std::string_view name, const OpenOptions& options) {
  for (const Entry& entry : kEntries) {
    if (name == entry.name) return entry.open(options);
  }
  const auto& names = dataset_names();
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("data set", fmt::format("\"{}\" is not known", name), fmt::format("known: {}", fmt::join(names, ", ")),
             near.empty() ? "" : fmt::format("did you mean {}?", near));
}

}  // namespace tandem
