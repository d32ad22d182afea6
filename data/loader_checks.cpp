// The checks of a Loader. See loader_checks.h.
#include <tandem/data/loader_checks.h>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/saturate.h>

namespace tandem {

LoaderOptions checked(const ImageSource& source, LoaderOptions options) {
  if (source.size() < 1) fail("loader", fmt::format("\"{}\" has no images", source.name()));
  if (options.batch < 1) fail("loader", "batch must be positive", fmt::format("{} given", options.batch));
  if (options.workers < 0) fail("loader", "workers must not be negative", fmt::format("{} given", options.workers));
  if (options.workers > kMostWorkers)
    fail("loader", fmt::format("workers may be {} at most", kMostWorkers), fmt::format("{} given", options.workers));
  if (options.view < 0) fail("loader", "view must not be negative", fmt::format("{} given", options.view));
  if (options.prefetch < 1) fail("loader", "prefetch must be positive", fmt::format("{} given", options.prefetch));
  if (options.drop_last && options.batch > source.size()) {
    fail("loader", "drop_last leaves no batch",
         fmt::format("batch {}, data set \"{}\" has {} images", options.batch, source.name(), source.size()));
  }
  const std::int64_t rest = options.drop_last ? 0 : source.size() % options.batch;
  const std::int64_t least = rest > 0 ? rest : std::min(options.batch, source.size());
  if (options.part.count > least) {
    fail("loader", fmt::format("a batch of {} has nothing for each of {} parts", least, options.part.count),
         fmt::format("data set \"{}\" has {} images, batch {}", source.name(), source.size(), options.batch),
         "take another batch, or drop_last");
  }
  return options;
}

std::size_t image_bytes(std::int64_t count, const PictureFormat& format) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;  // 256 TiB
  const std::int64_t bytes =
      saturating_multiply(saturating_multiply(saturating_multiply(format.height, format.width), format.channels),
                          saturating_multiply(count, static_cast<std::int64_t>(sizeof(float))));
  if (bytes > kMost) {
    fail("loader", "a batch is too large", fmt::format("{} images of {}", count, to_string(format)),
         "take a smaller batch");
  }
  return static_cast<std::size_t>(bytes);
}

PictureFormat format_of_first(const ImageSource& source) {
  std::vector<std::uint8_t> bytes;
  return source.read(0, bytes).format;
}

void check_format(const Transform& transform, const PictureFormat& first, const PictureFormat& format) {
  const PictureFormat expected = transform.output(first), found = transform.output(format);
  if (found == expected) return;
  fail("loader", "the transform leaves images of different sizes",
       fmt::format("{} and {}, made of {} and {}", to_string(expected), to_string(found), to_string(first),
                   to_string(format)),
       "bring them to one: random_resized_crop, or resize and centre_crop");
}

}  // namespace tandem
