// The table of data sets by name. See catalog.h.
#include <algorithm>
#include <mutex>

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
  std::string name;
  DatasetOpener open;
};

TrainTest open_folder(const OpenOptions& options) {
  if (options.folder.empty())
    fail_usage("data set \"folder\"", "the folder with the images is not given", {}, "give it with --data");
  return read_image_folder(options.folder, {.size = options.size,
                                            .bad_files = options.skip_bad_files ? BadFiles::skip : BadFiles::refuse,
                                            .seed = options.seed});
}

std::mutex table_mutex;

std::vector<Entry>& table() {
  static std::vector<Entry> entries{
      {"cifar10", [](const OpenOptions& o) { return cifar10({.folder = o.folder}); }},
      {"cifar100", [](const OpenOptions& o) { return cifar100({.folder = o.folder}); }},
      {"folder", open_folder},
      {"solids", [](const OpenOptions& o) { return solids({.seed = o.seed, .train = 6000, .test = 1000}); }},
      {"synthetic", [](const OpenOptions& o) { return synthetic({.seed = o.seed}); }},
  };
  return entries;
}

/// The opener of this name; none where it is not known.
DatasetOpener find(std::string_view name) {
  const std::lock_guard lock(table_mutex);
  const auto at = std::find_if(table().begin(), table().end(), [&](const Entry& e) { return e.name == name; });
  return at == table().end() ? DatasetOpener() : at->open;
}

}  // namespace

void register_dataset(const std::string& name, DatasetOpener opener) {
  const std::string where = fmt::format("register_dataset: \"{}\"", name);
  if (name.empty() || !opener) fail(where, "a data set needs a name and a function that opens it");
  if (find(name)) fail(where, "the name is taken");
  const std::lock_guard lock(table_mutex);
  table().push_back({name, std::move(opener)});
}

std::vector<std::string> dataset_names() {
  const std::lock_guard lock(table_mutex);
  std::vector<std::string> names;
  for (const Entry& entry : table()) names.push_back(entry.name);
  return names;
}

TrainTest open_dataset(std::string_view name, const OpenOptions& options) {
  if (const DatasetOpener open = find(name)) {
    TrainTest sets = open(options);
    validate(sets.train);
    validate(sets.test);
    return sets;
  }
  const std::vector<std::string> names = dataset_names();
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("data set", fmt::format("\"{}\" is not known", name), fmt::format("known: {}", fmt::join(names, ", ")),
             near.empty() ? "" : fmt::format("did you mean {}?", near));
}

}  // namespace tandem
