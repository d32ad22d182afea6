// Floats of 16 bits as storage: bfloat16 and float16. Each is rounded from float to nearest even and widened exactly;
// computing goes in float. Both conversions are without branches, so that loops over them vectorise.
// Not here: names and sizes (dtype.h), loops over rows (kernels/elementwise/load_store.h).
#pragma once

#include <bit>
#include <cstdint>

namespace tandem {

/// 8 exponent and 7 mantissa bits: the upper half of an IEEE binary32.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  explicit bfloat16(float value) {
    const auto u = std::bit_cast<std::uint32_t>(value);
    const bool is_nan = (u & 0x7fffffffU) > 0x7f800000U;
    const std::uint32_t rounded = (u + 0x7fffU + ((u >> 16) & 1U)) >> 16;
    bits = static_cast<std::uint16_t>(is_nan ? ((u >> 16) | 0x40U) : rounded);
  }
  operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

/// IEEE binary16: 5 exponent and 10 mantissa bits; numbers from 65520 on are infinite, below 2^-14 denormal.
struct float16 {
  std::uint16_t bits = 0;

  float16() = default;
  explicit float16(float value) {
    const auto u = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (u >> 16) & 0x8000U, magnitude = u & 0x7fffffffU;
    // The exponent's bias goes from 127 to 15, and 13 bits of the mantissa are rounded away.
    const std::uint32_t normal = (magnitude - (112U << 23) + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
    // Adding 0.5 lets the addition round to multiples of 2^-24, the step of denormals.
    const std::uint32_t denormal =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
    const std::uint32_t special = magnitude > 0x7f800000U ? 0x7e00U | ((magnitude >> 13) & 0x3ffU) : 0x7c00U;
    const std::uint32_t finite = magnitude < (113U << 23) ? denormal : normal;
    bits = static_cast<std::uint16_t>(sign | (magnitude >= (143U << 23) ? special : finite));
  }
  operator float() const {
    const std::uint32_t sign = (bits & 0x8000U) << 16U, magnitude = bits & 0x7fffU;
    const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
    const std::uint32_t special = magnitude >= 0x7c00U ? 0x7f800000U : 0U;
    return std::bit_cast<float>(sign | special | std::bit_cast<std::uint32_t>(scaled));
  }
};

}  // namespace tandem
