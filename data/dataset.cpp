// Statistics, checks and views of a Dataset. See dataset.h.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/data/dataset.h>

namespace tandem {

namespace {

struct Sums {
  std::uint64_t values = 0, squares = 0;
};

// Pixels whose squares add up below 2^32: 255^2 * 65,536 = 4.26e9.
constexpr std::int64_t kPart = 65536;

// Adds `rows` rows of `width` pixels, a part at a time in 32 bits, which vectorises, and the parts in 64.
template <std::int64_t kChannels>  // 0: any number
void add_rows(const std::uint8_t* pixels, std::int64_t rows, std::int64_t width, std::int64_t any, Sums* sums) {
  const std::int64_t channels = kChannels > 0 ? kChannels : any;
  for (std::int64_t i = 0; i < rows; ++i, pixels += width * channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t begin = 0; begin < width; begin += kPart) {
        const std::int64_t end = std::min(begin + kPart, width);
        std::uint32_t values = 0, squares = 0;
        for (std::int64_t j = begin; j < end; ++j) {
          const std::uint32_t v = pixels[j * channels + c];
          values += v;
          squares += v * v;
        }
        sums[c].values += values;
        sums[c].squares += squares;
      }
    }
  }
}

constexpr std::uint64_t kFnvPrime = 0x100000001b3ULL;

std::uint64_t fnv1a(std::uint64_t hash, const std::byte* bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) hash = (hash ^ static_cast<std::uint64_t>(bytes[i])) * kFnvPrime;
  return hash;
}

}  // namespace

ChannelStatistics channel_statistics(const Array& images) {
  require_dtype("channel_statistics", "images", images, DType::u8);
  if (images.rank() != 4 || images.size() == 0) {
    fail("channel_statistics", "images must be [N, C, H, W] and not empty", images.shape().to_string());
  }
  const Array plain = images.to_layout(Layout::channels_last);
  const std::int64_t n = plain.shape(0), channels = plain.shape(1), rows = plain.shape(2), width = plain.shape(3);
  const std::uint8_t* data = plain.data<std::uint8_t>();
  constexpr std::int64_t kGrain = 256;
  const Parts parts = parallel_parts(n, kGrain);
  std::vector<Sums> sums(static_cast<std::size_t>(parts.number * channels));
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    Sums* own = sums.data() + part * channels;
    const std::uint8_t* pixels = data + begin * rows * width * channels;
    const auto add = channels == 3 ? add_rows<3> : add_rows<0>;
    add(pixels, (end - begin) * rows, width, channels, own);
  });
  ChannelStatistics result;
  const auto count = static_cast<double>(n * rows * width);
  for (std::int64_t c = 0; c < channels; ++c) {
    Sums total;
    for (auto i = static_cast<std::size_t>(c); i < sums.size(); i += static_cast<std::size_t>(channels)) {
      total.values += sums[i].values;
      total.squares += sums[i].squares;
    }
    const double mean = static_cast<double>(total.values) / count;
    const double variance = std::max(0.0, static_cast<double>(total.squares) / count - mean * mean);
    result.mean.push_back(mean / 255);
    result.deviation.push_back(std::sqrt(variance) / 255);
  }
  return result;
}

Dataset first(const Dataset& dataset, std::int64_t n) {
  if (n < 1) fail("first", "needs at least one picture", fmt::format("{} asked for", n));
  const std::int64_t count = std::min(n, dataset.size());
  Dataset part = dataset;
  part.images = dataset.images.slice(0, 0, count);
  part.labels = dataset.labels.slice(0, 0, count);
  return part;
}

Dataset spread(const Dataset& dataset, std::int64_t n) {
  if (n < 1) fail("spread", "needs at least one picture", fmt::format("{} asked for", n));
  const std::int64_t N = dataset.size(), count = std::min(n, N);
  Dataset part = dataset;
  Shape shape = dataset.images.shape();
  shape[0] = count;
  part.images = Array::empty(shape, DType::u8, Layout::channels_last);
  part.labels = Array::empty({count}, DType::i64);
  for (std::int64_t j = 0; j < count; ++j) {
    const std::int64_t from = (2 * j + 1) * N / (2 * count);
    part.images.slice(0, j, j + 1).copy_from(dataset.images.slice(0, from, from + 1));
    part.labels.slice(0, j, j + 1).copy_from(dataset.labels.slice(0, from, from + 1));
  }
  return part;
}

void require_classes(const Dataset& dataset) {
  if (dataset.classes.size() > 1) return;
  fail(fmt::format("data set \"{}\"", dataset.name), "one class only",
       dataset.classes.empty() ? "it has none" : fmt::format("\"{}\"", dataset.classes.front()),
       "put the images of each class into a folder of its own");
}

std::uint64_t checksum(const Dataset& dataset) {
  const Array images = dataset.images.to_layout(Layout::channels_last), labels = dataset.labels.contiguous();
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  hash = fnv1a(hash, images.bytes(), static_cast<std::size_t>(images.size()));
  return fnv1a(hash, labels.bytes(), static_cast<std::size_t>(labels.size()) * sizeof(std::int64_t));
}

void validate(const Dataset& dataset) {
  const std::string where = fmt::format("data set \"{}\"", dataset.name);
  const Array &images = dataset.images, &labels = dataset.labels;
  if (!images.defined() || !labels.defined()) fail(where, "has no images or no labels");
  if (images.dtype() != DType::u8 || images.rank() != 4 || !images.is_channels_last()) {
    fail(where, "images must be u8 [N, C, H, W], channels-last",
         fmt::format("{} {}, strides {}", name(images.dtype()), images.shape().to_string(),
                     images.strides().to_string()));
  }
  if (images.size() == 0) fail(where, "is empty", fmt::format("images {}", images.shape().to_string()));
  if (labels.dtype() != DType::i64 || labels.shape() != Shape{images.shape(0)} || !labels.is_contiguous()) {
    fail(where, "labels must be i64, one for each image",
         fmt::format("labels {} {}, images {}", name(labels.dtype()), labels.shape().to_string(),
                     images.shape().to_string()));
  }
  const auto classes = static_cast<std::int64_t>(dataset.classes.size());
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < labels.size(); ++i) {
    if (label[i] < 0 || label[i] >= classes) {
      fail(where, "a label names no class", fmt::format("label {} of image {}, {} classes", label[i], i, classes));
    }
  }
}

std::filesystem::path data_home() {
  if (const char* home = std::getenv("TANDEM_DATA"); home != nullptr && *home != '\0') return home;
  const char* user = std::getenv("HOME");
  return std::filesystem::path(user != nullptr && *user != '\0' ? user : ".") / ".cache" / "tandem";
}

}  // namespace tandem
