// What training on the whole of ImageNet would cost, from the images a second that were measured.
#pragma once

#include <cstdint>
#include <string>

namespace imagenet {

inline constexpr std::int64_t kImageNetImages = 1'281'167;  ///< of the training set of ILSVRC 2012

struct Measured {
  double examples_per_second = 0;  ///< in training, at `crop`
  std::int64_t crop = 224;
  std::int64_t epochs = 60;                                ///< that are asked for
  std::int64_t multiply_adds = 0, multiply_adds_full = 0;  ///< of a picture: at `crop`, at the paper's 224
  std::int64_t peak_bytes = 0;                             ///< of memory, of this process; 0: not known
};

/// Seconds of `epochs` epochs of ImageNet at the measured pace.
double whole_seconds(const Measured& m);
/// The same at 224x224, if time goes with multiply-adds.
double whole_seconds_full(const Measured& m);

/// "38 days", "5.2 hours", "3.1 minutes".
std::string long_duration(double seconds);

/// Two or three lines: the pace, what 60 epochs take at it, and what they take at 224x224; empty where nothing was
/// measured.
std::string cost_text(const Measured& m);

/// The most memory that this process held, in bytes.
std::int64_t peak_memory();

}  // namespace imagenet
