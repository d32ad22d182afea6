// Reading the listed files by worker threads, each into its place of the set. See image_folder.h.
//
//   next_ -> | 0 1 2 3 ... |  claimed in order by workers; file i is written to slot i, whoever reads it
//
// A refused file stops the claiming. All files before it have been claimed then, so the first bad file of the order is
// known when the workers have ended, and the error does not depend on their number.
#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/threads.h>
#include <tandem/data/image_decoder.h>
#include <tandem/data/image_list.h>
#include <tandem/data/resize.h>
#include <tandem/data/resize_pixels.h>

namespace tandem {

namespace {

constexpr std::uint64_t kWindowStream = 0x77696e646f77;  // "window"

Pixels read_pixels(const std::filesystem::path& path, const ImageLimits& limits) {
  return decode_checked(read_image_bytes(path, limits), path.string(), limits);
}

class Reader {
 public:
  // `size`: of every picture, or 0 for that of the first. Keys of random windows begin at `first_key`.
  Reader(ImageList list, const ImageFolderOptions& options, Size2 size, std::uint64_t first_key)
      : list_(std::move(list)), options_(options), first_key_(first_key), size_(size), errors_(list_.files.size()) {}

  Dataset read() {
    find_size();
    const auto count = static_cast<std::int64_t>(list_.files.size());
    set_.images = Array::empty({count, 3, size_.h, size_.w}, DType::u8, Layout::channels_last);
    images_ = set_.images.data<std::uint8_t>();
    run_workers();
    rethrow_faults();
    if (const std::exception_ptr error = first_error()) {
      if (options_.bad_files == BadFiles::refuse) std::rethrow_exception(error);
      leave_out_bad(error);
    }
    set_.name = list_.name;
    set_.labels = Array::empty({set_.images.shape(0)}, DType::i64);
    std::int64_t* label = set_.labels.data<std::int64_t>();
    for (std::size_t i = 0; i < list_.files.size(); ++i)
      if (!errors_[i]) *label++ = list_.files[i].label;
    set_.classes = list_.classes;
    return set_;
  }

 private:
  std::int64_t image_bytes() const { return 3 * size_.h * size_.w; }

  // Without a size given, the first image that can be read decides.
  void find_size() {
    for (std::size_t i = 0; i < list_.files.size() && size_ == Size2(); ++i) {
      try {
        const Pixels pixels = read_pixels(list_.files[i].path, options_.limits);
        size_ = {pixels.height, pixels.width};
      } catch (const Error&) {
        if (options_.bad_files == BadFiles::refuse) throw;
        errors_[i] = std::current_exception();
      }
    }
    if (size_ == Size2()) leave_out_bad(first_error());
  }

  void run_workers() {
    const auto files = static_cast<std::int64_t>(list_.files.size());
    const std::int64_t wanted = options_.workers > 0 ? options_.workers : threads();
    std::vector<std::jthread> workers;
    for (std::int64_t i = 1; i < std::min(wanted, files); ++i) workers.emplace_back([this] { run_worker(); });
    run_worker();
  }

  void run_worker() {
    while (!stop_) {
      const std::size_t i = next_++;
      if (i >= list_.files.size()) return;
      try {
        read_file(i);
      } catch (const Error&) {
        errors_[i] = std::current_exception();
        if (options_.bad_files == BadFiles::refuse) stop_ = true;
      } catch (...) {  // no memory, say: no fault of the file
        errors_[i] = std::current_exception();
        stop_ = true;
      }
    }
  }

  void read_file(std::size_t i) const {
    const std::filesystem::path& path = list_.files[i].path;
    const Pixels pixels = read_pixels(path, options_.limits);
    const Size2 found{pixels.height, pixels.width};
    if (options_.size == Size2() && found != size_) {
      fail(path.string(), "the image has another size than the first of the set",
           fmt::format("expected {}, found {} (height x width)", to_string(size_), to_string(found)),
           "give the size that all are brought to (programs: --size)");
    }
    const Size2 window = options_.fit == Fit::cover     ? covered_window(found, size_)
                         : options_.fit == Fit::stretch ? found
                                                        : size_;
    if (window.h > found.h || window.w > found.w) {
      fail(path.string(), "the image is smaller than the window",
           fmt::format("expected at least {}, found {} (height x width)", to_string(window), to_string(found)),
           "let it be resized (Fit::cover), or take a smaller window");
    }
    std::int64_t top = centred(found.h, window.h), left = centred(found.w, window.w);
    if (options_.window == Window::random) {
      Generator generator = Generator(options_.seed, kWindowStream).split(first_key_ + i);
      top = generator.below(found.h - window.h + 1);
      left = generator.below(found.w - window.w + 1);
    }
    resize_pixels(pixels.bytes.data() + (top * found.w + left) * 3, window, found.w,
                  images_ + static_cast<std::int64_t>(i) * image_bytes(), size_, 3);
  }

  std::exception_ptr first_error() const {
    const auto found = std::find_if(errors_.begin(), errors_.end(), [](const auto& error) { return error != nullptr; });
    return found == errors_.end() ? nullptr : *found;
  }

  void rethrow_faults() const {
    for (const std::exception_ptr& each : errors_) {
      try {
        if (each) std::rethrow_exception(each);
      } catch (const Error&) {}
    }
  }

  // Moves the good images together; the set is a view of them.
  void leave_out_bad(const std::exception_ptr& first) {
    std::int64_t good = 0;
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      if (errors_[i]) continue;
      const std::uint8_t* from = images_ + static_cast<std::int64_t>(i) * image_bytes();
      if (static_cast<std::int64_t>(i) != good) std::copy_n(from, image_bytes(), images_ + good * image_bytes());
      ++good;
    }
    std::string reason = "unknown";
    try {
      std::rethrow_exception(first);
    } catch (const std::exception& error) {
      reason = error.what();
    }
    const std::size_t bad = errors_.size() - static_cast<std::size_t>(good);
    if (good == 0) fail(list_.name, "none of the images can be read", fmt::format("{} files; {}", bad, reason));
    warn(fmt::format("{}: {} of {} images left out; the first: {}", list_.name, bad, errors_.size(), reason));
    set_.images = set_.images.slice(0, 0, good);
  }

  const ImageList list_;
  const ImageFolderOptions& options_;
  const std::uint64_t first_key_;
  Size2 size_;  // of every picture
  Dataset set_;
  std::uint8_t* images_ = nullptr;
  std::vector<std::exception_ptr> errors_;  // one a file, written by whoever reads it
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stop_ = false;
};

void check_options(const ImageFolderOptions& options) {
  if (options.size != Size2() && (options.size.h < 1 || options.size.w < 1))
    fail("image folder", "size must be positive, or 0 for that of the first image", to_string(options.size));
  if (options.size.h > kLongestSide || options.size.w > kLongestSide) {
    fail("image folder", fmt::format("sides of pictures may be {} at most", kLongestSide), to_string(options.size),
         "take a smaller size (programs: --size)");
  }
  if (options.workers < 0)
    fail("image folder", "workers must not be negative", fmt::format("{} given", options.workers));
  if (options.workers > kMostWorkers)
    fail("image folder", fmt::format("workers may be {} at most", kMostWorkers),
         fmt::format("{} given", options.workers));
}

}  // namespace

Dataset read_images(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  check_options(options);
  Dataset set = Reader(list_images(folder, name_of(folder)), options, options.size, 0).read();
  set.statistics = channel_statistics(set.images);
  return set;
}

TrainTest read_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  check_options(options);
  TrainTestLists lists = list_train_test(folder, options);
  TrainTest sets;
  sets.train = Reader(std::move(lists.train), options, options.size, 0).read();
  const Size2 size{sets.train.images.shape(2), sets.train.images.shape(3)};
  constexpr std::uint64_t kTestKeys = std::uint64_t{1} << 32;
  sets.test = Reader(std::move(lists.test), options, size, kTestKeys).read();
  sets.train.statistics = channel_statistics(sets.train.images);
  sets.test.statistics = sets.train.statistics;
  return sets;
}

}  // namespace tandem
