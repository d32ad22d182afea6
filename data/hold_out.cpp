// See hold_out.h.
#include <tandem/data/hold_out.h>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>

namespace tandem {

namespace {

// The pictures for which is_held is `wanted`, in their order; a copy.
Dataset chosen(const Dataset& all, const std::vector<bool>& is_held, bool wanted) {
  const Array labels = all.labels.contiguous();
  const std::int64_t bytes = all.images.size() / all.size();
  const std::int64_t count = std::count(is_held.begin(), is_held.end(), wanted);
  Dataset part = all;
  part.images = Array::empty({count, all.images.shape(1), all.images.shape(2), all.images.shape(3)}, DType::u8,
                             Layout::channels_last);
  part.labels = Array::empty({count}, DType::i64);
  auto* image = part.images.data<std::uint8_t>();
  auto* label = part.labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < all.size(); ++i) {
    if (is_held[static_cast<std::size_t>(i)] != wanted) continue;
    image = std::copy_n(all.images.data<std::uint8_t>() + i * bytes, bytes, image);
    *label++ = labels.data<std::int64_t>()[i];
  }
  return part;
}

}  // namespace

HeldOut hold_out(const Dataset& train, std::int64_t n, std::uint64_t seed) {
  validate(train);
  if (n < 1 || n >= train.size()) {
    fail("hold_out", fmt::format("{} of {} pictures cannot be held out", n, train.size()), {},
         "at least one must be, and one be left");
  }
  constexpr std::uint64_t kStream = 0x68656c64;  // "held"
  const Array order = Generator(seed, kStream).permutation(train.size());
  std::vector<bool> is_held(static_cast<std::size_t>(train.size()));
  for (std::int64_t i = 0; i < n; ++i) is_held[static_cast<std::size_t>(order.data<std::int64_t>()[i])] = true;
  HeldOut parts{chosen(train, is_held, false), chosen(train, is_held, true)};
  parts.held_out.name += ", held out";
  parts.train.statistics = channel_statistics(parts.train.images);
  parts.held_out.statistics = parts.train.statistics;
  return parts;
}

}  // namespace tandem
