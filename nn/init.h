// Initial values of weights, drawn from a Generator: the global one unless given, so equal seeds give equal weights.
// Sources: Glorot & Bengio 2010 (Xavier), He et al. 2015 (Kaiming), Saxe et al. 2014 (orthogonal).
// Not here: which layer starts how (its own file says so).
#pragma once

#include <cstdint>

#include <tandem/autograd/tensor.h>
#include <tandem/core/generator.h>

namespace tandem::nn {

/// The generator that new layers draw from. One for the process; models are built on one thread.
Generator& default_generator();

/// Restarts default_generator(): models built after seed(s) start with the same weights every time.
void seed(std::uint64_t seed);

}  // namespace tandem::nn

namespace tandem::nn::init {

/// Inputs and outputs of one unit. w [out, in, ...]: in * receptive field, out * receptive field.
struct Fans {
  std::int64_t in = 0, out = 0;
};
/// Throws Error when w has fewer than two dims.
Fans fans(const Shape& w);

enum class Fan { in, out, average };

inline constexpr double kReluGain = 1.4142135623730951;  ///< sqrt(2)
inline constexpr double kTanhGain = 5.0 / 3;
/// sqrt(2 / (1 + slope^2)).
double leaky_relu_gain(double slope);

void constant(Tensor w, double value);
void uniform(Tensor w, double low, double high, Generator& generator = default_generator());
void normal(Tensor w, double mean, double deviation, Generator& generator = default_generator());

struct KaimingOptions {
  Fan fan = Fan::in;
  double gain = kReluGain;
};
/// N(0, gain^2 / fan) (He et al. 2015, eq. 10).
void kaiming_normal(Tensor w, const KaimingOptions& options = {}, Generator& generator = default_generator());
/// U(-bound, bound), bound = gain sqrt(3 / fan): the same variance.
void kaiming_uniform(Tensor w, const KaimingOptions& options = {}, Generator& generator = default_generator());

struct GainOptions {
  double gain = 1;
};
/// N(0, gain^2 2 / (in + out)) (Glorot & Bengio 2010, eq. 12).
void xavier_normal(Tensor w, const GainOptions& options = {}, Generator& generator = default_generator());
/// U(-bound, bound), bound = gain sqrt(6 / (in + out)) (eq. 16).
void xavier_uniform(Tensor w, const GainOptions& options = {}, Generator& generator = default_generator());
/// w read as [out, rest]: orthonormal rows (or columns, where out is larger), uniformly distributed, times gain.
/// Gram-Schmidt in double. Throws Error when w has fewer than two dims.
void orthogonal(Tensor w, const GainOptions& options = {}, Generator& generator = default_generator());

/// PyTorch's default for Linear and Conv2d: weight and bias (may be undefined) from U(-1/sqrt(in), 1/sqrt(in)).
void pytorch_default(Tensor w, Tensor b, Generator& generator = default_generator());

}  // namespace tandem::nn::init
