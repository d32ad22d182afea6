// Dataset: pictures with labels, held in memory as bytes; what every reader gives and the Loader takes.
// Not here: reading files (cifar.h), making pictures (synthetic.h), changing them (transform.h), batches (loader.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tandem/core/array.h>

namespace tandem {

/// Mean and standard deviation of each channel over all pixels, of values byte / 255.
struct ChannelStatistics {
  std::vector<double> mean;
  std::vector<double> deviation;
};

/// N labelled pictures. Arrays are handles, so a Dataset is cheap to copy.
struct Dataset {
  std::string name;                  ///< "cifar10 train"
  Array images;                      ///< u8 [N, C, H, W], channels-last: in memory N, H, W, C
  Array labels;                      ///< i64 [N], in [0, classes.size())
  std::vector<std::string> classes;  ///< the name of each label
  ChannelStatistics statistics;      ///< of the training set, also in the test set: what normalize takes

  std::int64_t size() const { return images.shape(0); }
};

/// Threads that read or prepare data at most: beyond it a number is a mistake.
inline constexpr int kMostWorkers = 1024;

struct TrainTest {
  Dataset train;
  Dataset test;
};

/// Statistics of images u8 [N, C, H, W]; from exact integer sums, so equal for every number of threads.
ChannelStatistics channel_statistics(const Array& images);

/// The first n pictures, sharing memory; all of them when there are fewer. The statistics stay those of the whole.
Dataset first(const Dataset& dataset, std::int64_t n);
/// n pictures at equal distances, copied, the j-th from place (2 j + 1) N / (2 n); else like first().
Dataset spread(const Dataset& dataset, std::int64_t n);

/// Throws Error, saying how folders name classes, when there are fewer than two: nothing to classify.
void require_classes(const Dataset& dataset);

/// 64 bits that change with any byte of images or labels (FNV-1a over both, in logical order).
std::uint64_t checksum(const Dataset& dataset);

/// Throws Error when images are not u8 channels-last, labels do not fit them, or a label names no class.
void validate(const Dataset& dataset);

/// Where data sets lie when no folder is given: $TANDEM_DATA, else ~/.cache/tandem.
std::filesystem::path data_home();

}  // namespace tandem
