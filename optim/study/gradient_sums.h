// Sums over the elements of the gradients of a batch's parts, and the instruments that follow from them (the formulas:
// instruments.h). Private to optim/study (instruments.cpp).
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include <tandem/optim/study/instruments.h>

namespace tandem {

/// The mean over parts, weighted by examples, and the variance of one example's value about it; NaN of one part.
struct Moments {
  double mean = 0, variance = 0;
};

inline Moments moments(const std::vector<double>& values, const std::vector<BatchPart>& parts, double examples) {
  Moments m;
  for (std::size_t p = 0; p < parts.size(); ++p)
    m.mean += static_cast<double>(parts[p].examples) / examples * values[p];
  for (std::size_t p = 0; p < parts.size(); ++p)
    m.variance += static_cast<double>(parts[p].examples) * (values[p] - m.mean) * (values[p] - m.mean);
  m.variance = parts.size() > 1 ? m.variance / static_cast<double>(parts.size() - 1) : InstrumentValues::kNotMeasured;
  return m;
}

/// Sums over elements, of one parameter or of several.
struct Sums {
  double g2 = 0, s = 0, gsnr = 0, tic = 0, elements = 0;

  void add(const Sums& other) {
    g2 += other.g2, s += other.s, gsnr += other.gsnr, tic += other.tic, elements += other.elements;
  }
};

/// The gradient of the batch into `mean`; sums over elements. `diagonal`: of the Hessian, or null.
template <class T>
Sums sums_of(const std::vector<const T*>& gradients, const std::vector<double>& examples, double n, T* mean,
             const T* diagonal, std::int64_t size, const InstrumentOptions& options) {
  Sums sums;
  sums.elements = static_cast<double>(size);
  const std::size_t parts = gradients.size();
  for (std::int64_t j = 0; j < size; ++j) {
    double g = 0, s = 0;
    for (std::size_t p = 0; p < parts; ++p) g += examples[p] / n * static_cast<double>(gradients[p][j]);
    for (std::size_t p = 0; p < parts; ++p) {
      const double difference = static_cast<double>(gradients[p][j]) - g;
      s += examples[p] * difference * difference;
    }
    if (parts > 1) s /= static_cast<double>(parts - 1);
    mean[j] = static_cast<T>(g);
    sums.g2 += g * g;
    sums.s += s;
    sums.gsnr += g * g / (s + options.snr_epsilon);
    if (diagonal != nullptr)
      sums.tic += (s + g * g) / (std::fabs(static_cast<double>(diagonal[j])) + options.tic_damping);
  }
  return sums;
}

/// What follows from the sums; `trace` is NaN without curvature.
inline void fill(InstrumentValues& values, const Sums& sums, double examples, bool has_noise, double trace) {
  values.gradient_norm = std::sqrt(sums.g2);
  values.trace = trace;
  if (!has_noise) return;
  const double signal = sums.g2 - sums.s / examples;
  values.variance = sums.s;
  values.noise_scale = sums.s == 0 ? 0 : signal > 0 ? sums.s / signal : std::numeric_limits<double>::infinity();
  values.signal_to_noise = examples / values.noise_scale;
  values.mean_gsnr = sums.gsnr / sums.elements;
  if (std::isnan(trace)) return;
  values.tic_trace = (sums.s + sums.g2) / trace;
  values.tic_diagonal = sums.tic;
}

}  // namespace tandem
