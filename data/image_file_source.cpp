// Files that are read when they are wanted. See image_file_source.h.
#include <tandem/data/image_file_source.h>

#include <atomic>
#include <exception>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/data/image_decoder.h>
#include <tandem/data/image_list.h>

namespace tandem {

namespace {

void check_options(const ImageFileSourceOptions& options) {
  if (options.workers < 0 || options.workers > kMostWorkers)
    fail("image files", fmt::format("workers must be in [0, {}]", kMostWorkers),
         fmt::format("{} given", options.workers));
}

/// Files whose error is empty can be read. Threads claim the next file; what they find does not depend on who reads.
std::vector<std::string> errors_of(const std::vector<ImageFile>& files, const ImageFileSourceOptions& options) {
  std::vector<std::string> errors(files.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::exception_ptr fault;  // no memory, say: no fault of a file
  std::atomic<bool> has_fault = false;
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size() && !stop; i = next++) {
      const std::string path = files[i].path.string();
      try {
        decode_checked(read_image_bytes(files[i].path, options.limits), path, options.limits);
      } catch (const Error& error) {
        errors[i] = error.what();
      } catch (...) {
        if (!has_fault.exchange(true)) fault = std::current_exception();
        stop = true;
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    const std::int64_t wanted = options.workers > 0 ? options.workers : threads();
    const auto count = static_cast<std::int64_t>(files.size());
    for (std::int64_t i = 1; i < std::min(wanted, count); ++i) workers.emplace_back(work);
    work();
  }
  if (fault) std::rethrow_exception(fault);
  return errors;
}

void leave_out_bad(ImageList& list, const ImageFileSourceOptions& options) {
  const std::vector<std::string> errors = errors_of(list.files, options);
  std::vector<ImageFile> good;
  std::string first;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (errors[i].empty()) {
      good.push_back(std::move(list.files[i]));
    } else if (first.empty()) {
      first = errors[i];
    }
  }
  const std::size_t bad = errors.size() - good.size();
  if (good.empty()) fail(list.name, "none of the images can be read", fmt::format("{} files; {}", bad, first));
  if (bad > 0) warn(fmt::format("{}: {} of {} images left out; the first: {}", list.name, bad, errors.size(), first));
  list.files = std::move(good);
}

std::shared_ptr<const ImageFileSource> files_of(ImageList list, const ImageFileSourceOptions& options) {
  if (options.bad_files == BadFiles::skip) leave_out_bad(list, options);
  std::vector<ImageFileSource::File> files;
  files.reserve(list.files.size());
  for (ImageFile& each : list.files) files.push_back({std::move(each.path), each.label});
  return std::make_shared<ImageFileSource>(std::move(list.name), std::move(files), std::move(list.classes),
                                           options.limits);
}

constexpr std::uint64_t kFnvStart = 0xcbf29ce484222325ULL, kFnvPrime = 0x100000001b3ULL;

void add(std::uint64_t& hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * kFnvPrime;
}

}  // namespace

ImageFileSource::ImageFileSource(std::string name, std::vector<File> files, std::vector<std::string> classes,
                                 const ImageLimits& limits)
    : name_(std::move(name)), files_(std::move(files)), classes_(std::move(classes)), limits_(limits) {
  if (files_.empty()) fail(name_, "there are no image files");
  for (const File& file : files_) {
    if (file.label < 0 || file.label >= static_cast<std::int64_t>(classes_.size()))
      fail(file.path.string(), "the label names no class",
           fmt::format("label {}, {} classes", file.label, classes_.size()));
  }
}

ImageView ImageFileSource::read(std::int64_t index, std::vector<std::uint8_t>& bytes) const {
  const std::filesystem::path& path = files_.at(static_cast<std::size_t>(index)).path;
  Pixels pixels = decode_checked(read_image_bytes(path, limits_), path.string(), limits_);
  bytes = std::move(pixels.bytes);
  return {bytes.data(), {pixels.height, pixels.width, 3, true}};
}

TrainTestFiles list_image_folder(const std::filesystem::path& folder, const ImageFileSourceOptions& options) {
  check_options(options);
  TrainTestLists lists =
      list_train_test(folder, {.test_fraction = options.test_fraction, .seed = options.seed, .limits = options.limits});
  TrainTestFiles sets;
  sets.train = files_of(std::move(lists.train), options);
  sets.test = files_of(std::move(lists.test), options);
  return sets;
}

std::uint64_t checksum(const ImageFileSource& files) {
  std::uint64_t hash = kFnvStart;
  for (const ImageFileSource::File& file : files.files()) {
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(file.path, error);
    if (error) fail(file.path.string(), "the file is gone", error.message());
    const std::filesystem::path& path = file.path;
    add(hash, fmt::format("{}/{}\n{} {}\n", path.parent_path().filename().string(), path.filename().string(),
                          file.label, bytes));
  }
  return hash;
}

ChannelStatistics imagenet_statistics() { return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}; }

}  // namespace tandem
