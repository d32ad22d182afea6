// Philox4x32-10 and what is drawn from it. See generator.h.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include <tandem/core/array.h>
#include <tandem/core/capture.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/threads.h>

namespace tandem {

namespace {

using Words = std::array<std::uint32_t, 4>;

std::uint64_t mix(std::uint64_t x) {  // the finaliser of SplitMix64 (Steele, Lea, Flood 2014)
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

Words block(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
  return philox({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32),
                 static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

double to_unit(std::uint32_t high, std::uint32_t low) {  // 53 bits in [0, 1)
  return static_cast<double>(((static_cast<std::uint64_t>(high) << 32) | low) >> 11) * 0x1p-53;
}

// Box-Muller: two normals from one block.
std::pair<double, double> to_normals(const Words& w) {
  const double radius = std::sqrt(-2 * std::log1p(-to_unit(w[0], w[1])));
  const double angle = 2 * std::numbers::pi * to_unit(w[2], w[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

constexpr std::int64_t kRun = 32;  // blocks that are computed together, each in a lane of its own

struct Run {
  std::uint32_t words[4][kRun];
};

// The blocks at position, position + 1, ...: philox() in all lanes at once.
TANDEM_TARGETS
void fill_run(std::uint64_t seed, std::uint64_t stream, std::uint64_t position, Run& run) {
  auto& [c0, c1, c2, c3] = run.words;
  for (std::int64_t i = 0; i < kRun; ++i) {
    const std::uint64_t at = position + static_cast<std::uint64_t>(i);
    c0[i] = static_cast<std::uint32_t>(at);
    c1[i] = static_cast<std::uint32_t>(at >> 32);
    c2[i] = static_cast<std::uint32_t>(stream);
    c3[i] = static_cast<std::uint32_t>(stream >> 32);
  }
  auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
    for (std::int64_t i = 0; i < kRun; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0[i], p1 = std::uint64_t{0xCD9E8D57} * c2[i];
      c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ key0;
      c1[i] = static_cast<std::uint32_t>(p1);
      c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ key1;
      c3[i] = static_cast<std::uint32_t>(p0);
    }
  }
}

// Element 4 i + j is `keep` where word j of block i is not below the threshold, else 0.
TANDEM_TARGETS
void mask_run(const Run& run, std::uint32_t threshold, float keep, float* mask) {
  for (std::int64_t i = 0; i < kRun; ++i)
    for (std::int64_t j = 0; j < 4; ++j) mask[4 * i + j] = run.words[j][i] >= threshold ? keep : 0.0F;
}

void fill_mask(const Generator& g, Array& x, std::uint32_t threshold, float keep) {
  constexpr std::int64_t kElements = 4 * kRun;
  const std::int64_t n = x.size();
  auto* mask = x.data<float>();
  parallel_for((n + kElements - 1) / kElements, 128, [=, &g](std::int64_t begin, std::int64_t end) {
    Run run;
    float last[kElements];
    for (std::int64_t r = begin; r < end; ++r) {
      fill_run(g.seed(), g.stream(), g.position() + static_cast<std::uint64_t>(r * kRun), run);
      const std::int64_t left = n - r * kElements;
      mask_run(run, threshold, keep, left < kElements ? last : mask + r * kElements);
      if (left < kElements) std::copy_n(last, left, mask + r * kElements);
    }
  });
  x.mark_changed();
}

// Element i of x, in logical order, is f of the block at first + i / per_block.
template <class F>
void fill_blocks(const Generator& g, Array& x, std::uint64_t first, std::int64_t per_block, F&& f) {
  const bool plain = x.is_contiguous() && (x.dtype() == DType::f32 || x.dtype() == DType::f64);
  Array y = plain ? x : Array::empty(x.shape(), x.dtype() == DType::f64 ? DType::f64 : DType::f32);
  const std::int64_t n = y.size(), blocks = (n + per_block - 1) / per_block;
  parallel_for(blocks, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const Words words = block(g.seed(), g.stream(), first + static_cast<std::uint64_t>(b));
      double values[4] = {};
      f(words, values);
      for (std::int64_t i = 0; i < per_block && b * per_block + i < n; ++i) {
        if (y.dtype() == DType::f64) {
          y.data<double>()[b * per_block + i] = values[i];
        } else {
          y.data<float>()[b * per_block + i] = static_cast<float>(values[i]);
        }
      }
    }
  });
  if (plain) {
    x.mark_changed();
  } else {
    x.copy_from(y);
  }
}

}  // namespace

Words philox(Words c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0], p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c;
}

Generator Generator::split(std::uint64_t a, std::uint64_t b) const {
  return Generator(seed_, mix(mix(mix(stream_) ^ a) ^ (b + 0x632be59bd9b4e019ULL)));
}

std::uint64_t Generator::bits() {
  capture::refuse("a Generator", "gives the host a number");
  const Words w = block(seed_, stream_, position_++);
  return (static_cast<std::uint64_t>(w[0]) << 32) | w[1];
}

double Generator::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Generator::normal() {
  capture::refuse("a Generator", "gives the host a number");
  return to_normals(block(seed_, stream_, position_++)).first;
}

std::int64_t Generator::below(std::int64_t n) {
  if (n < 1) fail("generator", "below needs a positive number", fmt::format("{} given", n));
  const auto range = static_cast<std::uint64_t>(n);
  const std::uint64_t unfair = (0 - range) % range;  // values below it would favour small results
  std::uint64_t value = bits();
  while (value < unfair) value = bits();
  return static_cast<std::int64_t>(value % range);
}

void Generator::fill_uniform(Array& x, double low, double high) {
  const bool fine = x.dtype() == DType::f64;
  const std::int64_t per_block = fine ? 2 : 4;
  fill_blocks(*this, x, position_, per_block, [=](const Words& w, double* v) {
    for (int i = 0; i < 4; ++i) {
      const auto u = static_cast<std::size_t>(i);
      if (fine && i < 2) v[i] = low + (high - low) * to_unit(w[2 * u], w[2 * u + 1]);
      if (!fine) v[i] = low + (high - low) * (static_cast<double>(w[u] >> 8) * 0x1p-24);
    }
  });
  position_ += static_cast<std::uint64_t>((x.size() + per_block - 1) / per_block);
}

void Generator::fill_normal(Array& x, double mean, double deviation) {
  fill_blocks(*this, x, position_, 2, [=](const Words& w, double* v) {
    const auto [a, b] = to_normals(w);
    v[0] = mean + deviation * a;
    v[1] = mean + deviation * b;
  });
  position_ += static_cast<std::uint64_t>((x.size() + 1) / 2);
}

void Generator::fill_dropout_mask(Array& x, double p) {
  if (!(p >= 0 && p < 1)) fail("dropout", "probability must be in [0, 1)", fmt::format("{} given", p));
  const auto threshold = static_cast<std::uint32_t>(p * 0x1p32);
  const double keep = 1 / (1 - p);
  if (x.dtype() == DType::f32 && x.is_contiguous()) {
    fill_mask(*this, x, threshold, static_cast<float>(keep));
  } else if (work_dtype(x.dtype()) == DType::f32) {  // the order of random numbers is that of row-major places
    Array plain = Array::empty(x.shape());
    fill_mask(*this, plain, threshold, static_cast<float>(keep));
    x.copy_from(plain);
  } else {
    fill_blocks(*this, x, position_, 4, [=](const Words& w, double* v) {
      for (std::size_t i = 0; i < 4; ++i) v[i] = w[i] >= threshold ? keep : 0;
    });
  }
  position_ += static_cast<std::uint64_t>((x.size() + 3) / 4);
}

Array Generator::permutation(std::int64_t n) {
  Array y = Array::arange(n);
  auto* p = y.data<std::int64_t>();
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(p[i], p[below(i + 1)]);
  return y;
}

}  // namespace tandem
