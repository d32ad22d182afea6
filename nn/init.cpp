// Initial values. See init.h.
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/nn/init.h>

namespace tandem::nn {

Generator& default_generator() {
  static Generator generator(0);
  return generator;
}

void seed(std::uint64_t seed) { default_generator() = Generator(seed); }

}  // namespace tandem::nn

namespace tandem::nn::init {

Fans fans(const Shape& w) {
  if (w.rank() < 2) {
    fail("init", "a weight without inputs and outputs has no fans", "w " + to_string(w), "give init::uniform a bound");
  }
  std::int64_t field = 1;
  for (int d = 2; d < w.rank(); ++d) field *= w[d];
  return {.in = w[1] * field, .out = w[0] * field};
}

double leaky_relu_gain(double slope) { return std::sqrt(2 / (1 + slope * slope)); }

void constant(Tensor w, double value) { w.mutable_value().fill(value); }

void uniform(Tensor w, double low, double high, Generator& generator) {
  Array values = w.mutable_value();
  generator.fill_uniform(values, low, high);
}

void normal(Tensor w, double mean, double deviation, Generator& generator) {
  Array values = w.mutable_value();
  generator.fill_normal(values, mean, deviation);
}

namespace {

double size_of(Fan fan, const Shape& w) {
  const Fans f = fans(w);
  if (fan == Fan::average) return static_cast<double>(f.in + f.out) / 2;
  return static_cast<double>(fan == Fan::in ? f.in : f.out);
}

}  // namespace

void kaiming_normal(Tensor w, const KaimingOptions& options, Generator& generator) {
  normal(w, 0, options.gain / std::sqrt(size_of(options.fan, w.shape())), generator);
}

void kaiming_uniform(Tensor w, const KaimingOptions& options, Generator& generator) {
  const double bound = options.gain * std::sqrt(3 / size_of(options.fan, w.shape()));
  uniform(w, -bound, bound, generator);
}

// Xavier is Kaiming over the average of both fans.
void xavier_normal(Tensor w, const GainOptions& options, Generator& generator) {
  kaiming_normal(w, {.fan = Fan::average, .gain = options.gain}, generator);
}

void xavier_uniform(Tensor w, const GainOptions& options, Generator& generator) {
  kaiming_uniform(w, {.fan = Fan::average, .gain = options.gain}, generator);
}

void orthogonal(Tensor w, const GainOptions& options, Generator& generator) {
  const Shape& shape = w.shape();
  fans(shape);  // refuses vectors
  const std::int64_t rows = shape[0], columns = shape.count() / std::max<std::int64_t>(rows, 1);
  // `count` vectors of `length` numbers, made orthonormal; they are the rows of w, or its columns when out is larger.
  const std::int64_t count = std::min(rows, columns), length = std::max(rows, columns);
  Array vectors = Array::empty({count, length}, DType::f64);
  generator.fill_normal(vectors);
  double* v = vectors.data<double>();
  for (std::int64_t i = 0; i < count; ++i) {
    double* vi = v + i * length;
    for (int pass = 0; pass < 2; ++pass) {  // the second pass removes what rounding left of the first
      for (std::int64_t j = 0; j < i; ++j) {
        const double* vj = v + j * length;
        double dot = 0;
        for (std::int64_t k = 0; k < length; ++k) dot += vi[k] * vj[k];
        for (std::int64_t k = 0; k < length; ++k) vi[k] -= dot * vj[k];
      }
    }
    double square = 0;
    for (std::int64_t k = 0; k < length; ++k) square += vi[k] * vi[k];
    const double scale = 1 / std::sqrt(square);
    for (std::int64_t k = 0; k < length; ++k) vi[k] *= scale;
  }
  for (std::int64_t i = 0; i < count * length; ++i) v[i] *= options.gain;
  const Array matrix = rows <= columns ? vectors : vectors.transpose(0, 1);
  w.mutable_value().copy_from(matrix.reshape(shape));
}

void pytorch_default(Tensor w, Tensor b, Generator& generator) {
  const double bound = 1 / std::sqrt(static_cast<double>(fans(w.shape()).in));
  uniform(w, -bound, bound, generator);
  if (b.defined()) uniform(b, -bound, bound, generator);
}

}  // namespace tandem::nn::init
