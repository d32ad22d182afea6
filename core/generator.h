// Generator: counter-based random numbers (Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3"). Number i of a stream depends on (seed, stream, i) alone, so any thread may compute any part.
#pragma once

#include <array>
#include <cstdint>

namespace tandem {

class Array;

/// Four 32-bit words from a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// A generator of its own for (this seed, this stream, a, b): independent of how much this one was used.
  Generator split(std::uint64_t a, std::uint64_t b = 0) const;

  /// The next value of the sequence: 64 random bits, a number in [0, 1) with 53 bits, one of N(0, 1), one of [0, n).
  std::uint64_t bits();
  double uniform();
  double normal();
  /// Unbiased. Throws Error when n < 1.
  std::int64_t below(std::int64_t n);

  /// Fill floating arrays, in logical order, from the next positions; equal for every number of threads.
  void fill_uniform(Array& x, double low = 0, double high = 1);
  void fill_normal(Array& x, double mean = 0, double deviation = 1);
  /// 1/(1-p) with probability 1-p, else 0.
  void fill_dropout_mask(Array& x, double p);
  /// 0 .. n-1 in random order (Fisher-Yates), i64.
  Array permutation(std::int64_t n);

  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }
  std::uint64_t position() const { return position_; }
  void set_position(std::uint64_t position) { position_ = position; }

 private:
  std::uint64_t seed_, stream_, position_ = 0;  // position counts blocks of four words
};

}  // namespace tandem
