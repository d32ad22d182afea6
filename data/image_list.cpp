// Which files of a folder are images, of which class, and in which set. See image_list.h.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/data/image_list.h>

namespace tandem {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSplitStream = 0x73706c6974;  // "split"

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_image_name(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<const char*, 4> kEndings{".jpg", ".jpeg", ".png", ".bmp"};
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

// What stands directly in a folder, hidden things aside, sorted by the bytes of its names.
struct Content {
  std::vector<fs::path> folders, files;
};

Content content_of(const fs::path& folder) {
  Content content;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_hidden(it->path())) continue;
    std::error_code unknown;
    (it->is_directory(unknown) ? content.folders : content.files).push_back(it->path());
  }
  if (error) fail(folder.string(), "the folder cannot be read", error.message());
  std::sort(content.folders.begin(), content.folders.end());
  std::sort(content.files.begin(), content.files.end());
  return content;
}

// Collects the images of folders, and what is no image.
class Collector {
 public:
  // The files at the front, then those of subfolders; links to folders are followed once.
  void add(const fs::path& folder, std::int64_t label, int depth = 0) {
    constexpr int kDeepest = 32;  // a link may lead to a folder above
    if (depth > kDeepest)
      fail(folder.string(), "folders lie too deep in each other", fmt::format("at most {}", kDeepest));
    const Content content = content_of(folder);
    add_files(content, label);
    for (const fs::path& each : content.folders) add(each, label, depth + 1);
  }

  void add_files(const Content& content, std::int64_t label) {
    for (const fs::path& file : content.files) {
      if (is_image_name(file)) {
        list.files.push_back({file, label});
      } else if (left_out_++ == 0) {
        first_left_out_ = file;
      }
    }
  }

  void report(const fs::path& folder) const {
    if (left_out_ == 0) return;
    warn(fmt::format("{}: {} file{} left out, not named .jpg, .jpeg, .png or .bmp; the first is {}", folder.string(),
                     left_out_, left_out_ == 1 ? "" : "s", first_left_out_.string()));
  }

  ImageList list;

 private:
  std::int64_t left_out_ = 0;
  fs::path first_left_out_;
};

void check_folder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    fail("image folder", "folder not found", fmt::format("looked for {}", folder.string()),
         "name the folder with the images");
  }
}

// Labels of the test set mean what they mean in the training set.
void adopt_classes(ImageList& test, const ImageList& train, const fs::path& folder) {
  std::map<std::string_view, std::int64_t> labels;
  for (const std::string& name : train.classes) labels.emplace(name, static_cast<std::int64_t>(labels.size()));
  for (ImageFile& file : test.files) {
    const std::string& name = test.classes[static_cast<std::size_t>(file.label)];
    const auto found = labels.find(name);
    if (found == labels.end()) {
      fail(folder.string(), "a class of the test set is not in the training set",
           fmt::format("class \"{}\" of {}", name, file.path.string()));
    }
    file.label = found->second;
  }
  test.classes = train.classes;
}

TrainTestLists split(const ImageList& all, const fs::path& folder, const ImageFolderOptions& options) {
  if (!(options.test_fraction > 0 && options.test_fraction < 1)) {
    fail("image folder", "test_fraction must be between 0 and 1", fmt::format("{} given", options.test_fraction));
  }
  std::vector<bool> is_test(all.files.size());
  std::vector<std::vector<std::size_t>> of_class(all.classes.size());
  for (std::size_t i = 0; i < all.files.size(); ++i)
    of_class[static_cast<std::size_t>(all.files[i].label)].push_back(i);
  for (std::size_t label = 0; label < of_class.size(); ++label) {
    const auto count = static_cast<std::int64_t>(of_class[label].size());
    const std::int64_t chosen = std::llround(options.test_fraction * static_cast<double>(count));
    const Array order = Generator(options.seed, kSplitStream).split(label).permutation(count);
    for (std::int64_t i = 0; i < chosen; ++i)
      is_test[of_class[label][static_cast<std::size_t>(order.data<std::int64_t>()[i])]] = true;
  }
  TrainTestLists lists{{all.name + " train", {}, all.classes}, {all.name + " test", {}, all.classes}};
  for (std::size_t i = 0; i < all.files.size(); ++i)
    (is_test[i] ? lists.test : lists.train).files.push_back(all.files[i]);
  if (lists.train.files.empty() || lists.test.files.empty()) {
    fail(folder.string(), "the split leaves a set without an image",
         fmt::format("{} images, test_fraction {}", all.files.size(), options.test_fraction),
         "take another fraction, or make folders train and val");
  }
  return lists;
}

}  // namespace

std::string name_of(const std::filesystem::path& folder) {
  const std::filesystem::path whole = folder.lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

ImageList list_images(const std::filesystem::path& folder, const std::string& name) {
  check_folder(folder);
  Collector collector;
  ImageList& list = collector.list;
  list.name = name;
  const Content top = content_of(folder);
  collector.add_files(top, 0);
  const bool has_images = !list.files.empty();
  for (const fs::path& each : top.folders) {
    const std::size_t before = list.files.size();
    collector.add(each, static_cast<std::int64_t>(list.classes.size()));
    if (list.files.size() > before && has_images) {
      fail(folder.string(), "images lie beside folders of images",
           fmt::format("{} and {}", list.files.front().path.string(), list.files.back().path.string()),
           "put every image into the folder of its class, or all into one folder");
    }
    if (list.files.size() == before && !has_images) {
      fail(folder.string(), "the folder of a class holds no image", each.string(),
           "take it away, or put .jpg, .jpeg, .png or .bmp files into it");
    }
    if (!has_images) list.classes.push_back(each.filename().string());
  }
  if (list.files.empty()) {
    fail(folder.string(), "the folder holds no image", "looked for .jpg, .jpeg, .png and .bmp files",
         "name the folder with the images");
  }
  if (has_images) list.classes = {"all"};
  collector.report(folder);
  return std::move(list);
}

TrainTestLists list_train_test(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  check_folder(folder);
  std::error_code ignored;
  const std::string name = name_of(folder);
  if (!fs::is_directory(folder / "train", ignored)) return split(list_images(folder, name), folder, options);
  for (const char* test : {"val", "test"}) {
    if (!fs::is_directory(folder / test, ignored)) continue;
    TrainTestLists lists{list_images(folder / "train", name + " train"), list_images(folder / test, name + " test")};
    adopt_classes(lists.test, lists.train, folder / test);
    return lists;
  }
  fail(folder.string(), "there is a folder train, but neither val nor test", "looked for both beside it",
       "make one, or name the folder train itself, which is then split");
}

}  // namespace tandem
