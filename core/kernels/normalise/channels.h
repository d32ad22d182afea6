// Channels: 1, 8 or 16 neighbouring channels of a row as packs, with + - * between them.
// Private to batch_norm_rows.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <tandem/core/kernels/pack.h>

namespace tandem::kernels {

/// Some channels of a row, as packs side by side.
template <int kLanes, int kPacks>
struct Channels {
  static constexpr int kCount = kLanes * kPacks;
  Pack<kLanes> pack[kPacks];

  template <class E>
  TANDEM_INLINE static Channels at(const E* p) {
    Channels v;
    for (int k = 0; k < kPacks; ++k) v.pack[k] = load<kLanes>(p + k * kLanes);
    return v;
  }
  TANDEM_INLINE static Channels zero() {
    Channels v;
    for (int k = 0; k < kPacks; ++k) v.pack[k] = Pack<kLanes>{};
    return v;
  }
  template <class E>
  TANDEM_INLINE void to(E* p) const {
    for (int k = 0; k < kPacks; ++k) store<kLanes>(p + k * kLanes, pack[k]);
  }
  TANDEM_INLINE void add_to(double* to, std::int64_t first = 0) const {
    for (int k = 0; k < kPacks; ++k)
      add_lanes<kLanes>(to + k * kLanes, pack[k], std::max<std::int64_t>(0, first - k * kLanes));
  }
  TANDEM_INLINE friend Channels operator+(const Channels& a, const Channels& b) {
    Channels v;
    for (int k = 0; k < kPacks; ++k) v.pack[k] = a.pack[k] + b.pack[k];
    return v;
  }
  TANDEM_INLINE friend Channels operator-(const Channels& a, const Channels& b) {
    Channels v;
    for (int k = 0; k < kPacks; ++k) v.pack[k] = a.pack[k] - b.pack[k];
    return v;
  }
  TANDEM_INLINE friend Channels operator*(const Channels& a, const Channels& b) {
    Channels v;
    for (int k = 0; k < kPacks; ++k) v.pack[k] = a.pack[k] * b.pack[k];
    return v;
  }
  /// this where y is not 0 or below, else 0.
  TANDEM_INLINE Channels where_positive(const Channels& y) const {
    Channels v;
    for (int k = 0; k < kPacks; ++k)
      v.pack[k] = choose_less_equal<kLanes>(y.pack[k], Pack<kLanes>{}, Pack<kLanes>{}, pack[k]);
    return v;
  }
  TANDEM_INLINE Channels at_least_zero() const {
    Channels v;
    for (int k = 0; k < kPacks; ++k) v.pack[k] = choose_less<kLanes>(pack[k], Pack<kLanes>{}, Pack<kLanes>{}, pack[k]);
    return v;
  }
};

/// The one expression that forward writes and backward masks by.
template <class V>
TANDEM_INLINE V normalised(const V& x, const V& mean, const V& scale, const V& shift) {
  V v;
  for (std::size_t k = 0; k < std::size(v.pack); ++k)
    v.pack[k] = (x.pack[k] - mean.pack[k]) * scale.pack[k] + shift.pack[k];
  return v;
}

}  // namespace tandem::kernels
