// Packs: every bf16 and f16 loaded, floats of all kinds stored, lane by lane as narrow_float.h converts one number.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/pack.h>

using namespace tandem;
namespace k = tandem::kernels;

namespace {

template <class E>
std::vector<float> loaded(const std::vector<E>& x) {
  std::vector<float> y(x.size());
  k::with_packs([&](auto lanes) __attribute__((always_inline)) {
    k::each_pack<lanes()>(
        static_cast<std::int64_t>(x.size()), [&](std::int64_t i) __attribute__((always_inline)) {
          k::store<lanes()>(y.data() + i, k::load<lanes()>(x.data() + i));
        });
  });
  return y;
}

template <class E>
std::vector<E> stored(const std::vector<float>& x) {
  std::vector<E> y(x.size());
  k::with_packs([&](auto lanes) __attribute__((always_inline)) {
    k::each_pack<lanes()>(
        static_cast<std::int64_t>(x.size()), [&](std::int64_t i) __attribute__((always_inline)) {
          k::store<lanes()>(y.data() + i, k::load<lanes()>(x.data() + i));
        });
  });
  return y;
}

template <class E>
void check_all() {
  std::vector<E> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].bits = static_cast<std::uint16_t>(i);
  const std::vector<float> wide = loaded(all);
  int different = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    different += std::bit_cast<std::uint32_t>(wide[i]) != std::bit_cast<std::uint32_t>(static_cast<float>(all[i]));
  }
  CHECK(different == 0);

  // Every exponent with mantissas round the places where rounding turns, and random ones.
  std::vector<float> floats;
  for (std::uint32_t exponent = 0; exponent < 512; ++exponent) {
    for (const std::uint32_t low : {0U, 1U, 0x7fffU, 0x8000U, 0x8001U, 0x18000U, 0xfffU, 0x1000U, 0x1001U, 0x3000U,
                                    0x7fffffU, 0x7f8000U, 0x400000U})
      floats.push_back(std::bit_cast<float>((exponent << 23) | low));
  }
  Generator g(1);
  for (int i = 0; i < 50000; ++i)
    floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(g.below(1LL << 32))));
  const std::vector<E> narrow = stored<E>(floats);
  for (std::size_t i = 0; i < floats.size(); ++i) different += narrow[i].bits != E(floats[i]).bits;
  CHECK(different == 0);
}

}  // namespace

TEST_CASE("packs load and store bf16 and f16 as single numbers convert") {
  check_all<bfloat16>();
  check_all<float16>();
}

TEST_CASE("packs cover any count from their width on, the last one overlapping") {
  for (const std::int64_t n : {16, 17, 31, 32, 33}) {
    std::vector<float> x(static_cast<std::size_t>(n)), y(x.size(), -1.0F);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    k::with_packs([&](auto lanes) __attribute__((always_inline)) {
      k::each_pack<lanes()>(
          n, [&](std::int64_t i) __attribute__((always_inline)) {
            k::store<lanes()>(y.data() + i, k::load<lanes()>(x.data() + i) * 2.0F);
          });
    });
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == 2 * x[i]);
  }
}
