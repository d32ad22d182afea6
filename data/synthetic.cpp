// Labels, seeds and threads of the synthetic set. See synthetic.h; a picture is painted in scene.cpp.
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/threads.h>
#include <tandem/data/resize.h>
#include <tandem/data/scene.h>
#include <tandem/data/synthetic.h>

namespace tandem {

namespace {

constexpr std::uint64_t kTrain = 0, kTest = 1;
constexpr std::uint64_t kLabelStream = 0x6c6162656c, kSceneStream = 0x7363656e65;  // "label", "scene"
constexpr std::int64_t kSolidSide = 16;
constexpr std::int64_t kImageBytes = 3 * kSceneSide * kSceneSide;

// Every ten images hold each class once, in an order of their own.
std::int64_t label_of(std::uint64_t seed, std::uint64_t split, std::int64_t index) {
  Generator generator = Generator(seed, kLabelStream).split(split, static_cast<std::uint64_t>(index / kSceneClasses));
  std::array<std::int64_t, kSceneClasses> order;
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = kSceneClasses - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(generator.below(i + 1))]);
  }
  return order[static_cast<std::size_t>(index % kSceneClasses)];
}

using Paint = void (*)(int kind, Generator generator, std::uint8_t* pixels);

Dataset make(const char* kind, const char* name, std::uint64_t seed, std::uint64_t split, std::int64_t count,
             Paint paint) {
  if (count < 1) fail(kind, "a set needs at least one image", fmt::format("{} {} images asked for", count, name));
  Dataset set;
  set.name = fmt::format("{} {}", kind, name);
  set.images = Array::empty({count, 3, kSceneSide, kSceneSide}, DType::u8, Layout::channels_last);
  set.labels = Array::empty({count}, DType::i64);
  set.classes = synthetic_classes();
  std::uint8_t* images = set.images.data<std::uint8_t>();
  std::int64_t* labels = set.labels.data<std::int64_t>();
  parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      labels[i] = label_of(seed, split, i);
      paint(static_cast<int>(labels[i]), Generator(seed, kSceneStream).split(split, static_cast<std::uint64_t>(i)),
            images + i * kImageBytes);
    }
  });
  return set;
}

}  // namespace

const std::vector<std::string>& synthetic_classes() {
  static const std::vector<std::string> names{"ball", "box",  "pyramid", "ring", "cross",
                                              "star", "moon", "heart",   "rod",  "dumbbell"};
  return names;
}

TrainTest synthetic(const SyntheticOptions& options) {
  TrainTest sets{make("synthetic", "train", options.seed, kTrain, options.train, paint_scene),
                 make("synthetic", "test", options.seed, kTest, options.test, paint_scene)};
  sets.train.statistics = channel_statistics(sets.train.images);
  sets.test.statistics = sets.train.statistics;
  return sets;
}

TrainTest solids(const SyntheticOptions& options) {
  TrainTest sets{make("solids", "train", options.seed, kTrain, options.train, paint_solid_alone),
                 make("solids", "test", options.seed, kTest, options.test, paint_solid_alone)};
  for (Dataset* set : {&sets.train, &sets.test}) set->images = resize_images(set->images, kSolidSide);
  sets.train.statistics = channel_statistics(sets.train.images);
  sets.test.statistics = sets.train.statistics;
  return sets;
}

}  // namespace tandem
