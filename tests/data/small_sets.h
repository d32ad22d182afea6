// Data sets of a few bytes, for the tests of this folder.
#pragma once

#include <cstdint>
#include <string>

#include <tandem/data/dataset.h>

namespace tandem::test {

/// n images [1, channels, side, side] whose bytes all differ between neighbours; labels count 0 .. 9 and again.
inline Dataset counting_set(std::int64_t n, std::int64_t channels = 3, std::int64_t side = 8) {
  Dataset set;
  set.name = "counting";
  set.images = Array::empty({n, channels, side, side}, DType::u8, Layout::channels_last);
  set.labels = Array::empty({n}, DType::i64);
  auto* bytes = set.images.data<std::uint8_t>();
  for (std::int64_t i = 0; i < set.images.size(); ++i) bytes[i] = static_cast<std::uint8_t>((i * 37 + i / 251) % 256);
  for (std::int64_t i = 0; i < n; ++i) set.labels.data<std::int64_t>()[i] = i % 10;
  for (int c = 0; c < 10; ++c) set.classes.push_back(std::to_string(c));
  set.statistics = channel_statistics(set.images);
  return set;
}

}  // namespace tandem::test
