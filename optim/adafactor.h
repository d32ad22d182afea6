// adafactor: Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost", algorithms 4 and 5,
// as PyTorch writes it: Adam's second moments from means over rows and over columns, no first moments, steps in
// proportion to the weights. A kernel is the matrix [out, in kh kw] (PyTorch factors its last two dims).
//
//   c = t^beta2_decay                                1 in the first step
//   r <- r + c (mean of g^2 over columns - r),   s <- s + c (mean of g^2 over rows - s)
//   v = r s / max(mean of r, eps1);   of a vector: v <- v + c (g^2 - v)
//   u = g / max(sqrt(v), eps1)
//   a = max(eps2, rms(w)) min(lr, 1 / sqrt(t))
//   w <- w - lr weight_decay w - a u / max(1, rms(u) / threshold)
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct AdafactorOptions {
  Schedule lr = 0.01, beta2_decay = -0.8;
  Schedule eps1 = 1.1920928955078125e-07;  ///< f32's precision
  Schedule eps2 = 1e-3, threshold = 1, weight_decay = 0;
  bool no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("beta2_decay", beta2_decay, {.low = -std::numeric_limits<double>::infinity(), .high = 0});
    f("eps1", eps1, kNotNegative);
    f("eps2", eps2, kNotNegative);
    f("threshold", threshold, {.low = 1});
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Adafactor : WholeTensorFormula {
  using Options = AdafactorOptions;
  static constexpr const char* kName = "adafactor";
  static constexpr auto kBuffers = kNoState;

  T kept;
  double c, rho, eps1, eps2, threshold;

  Adafactor(const Options& h, Step t) : eps1(h.eps1(t)), eps2(h.eps2(t)), threshold(h.threshold(t)) {
    const auto count = static_cast<double>(t.count);
    kept = coefficient<T>("1 - lr weight_decay", 1 - h.lr(t) * h.weight_decay(t));
    c = std::pow(count, h.beta2_decay(t)), rho = std::min(h.lr(t), 1 / std::sqrt(count));
  }
  static std::vector<StateArray> arrays(const Options&, const Shape& shape) {
    const bool is_matrix = shape.rank() > 1;
    const std::int64_t n = shape.count(), rows = is_matrix ? shape[0] : n;
    return {{"row_var", {rows}, is_matrix},
            {"col_var", {n / std::max<std::int64_t>(1, rows)}, is_matrix},
            {"variance", shape, !is_matrix}};
  }

  void look(const WholeTensor<T>& x) const {
    T *const r = x.arrays[0], *const s = x.arrays[1], *const v = x.arrays[2];
    const Matrix<T> g = x.matrix();
    if (v == nullptr) {
      move_means(r, g.rows, g.columns, [&](std::int64_t i, std::int64_t j) { return g(i, j); });
      move_means(s, g.columns, g.rows, [&](std::int64_t j, std::int64_t i) { return g(i, j); });
    } else {
      move_means(v, g.rows, 1, [&](std::int64_t i, std::int64_t) { return g.data[i]; });
    }
    double mean = 0;
    for (std::int64_t i = 0; i < g.rows && v == nullptr; ++i) mean += r[i] / static_cast<double>(g.rows);
    mean = std::max(mean, eps1);
    for (std::int64_t i = 0; i < g.rows; ++i) {
      for (std::int64_t j = 0; j < g.columns; ++j) {
        const double variance = v == nullptr ? r[i] * static_cast<double>(s[j]) / mean : v[i];
        const double root = std::max(std::sqrt(variance), eps1);
        g(i, j) = root == 0 ? T(0) : static_cast<T>(g(i, j) / root);
      }
    }
    const double sqrt_n = std::sqrt(static_cast<double>(x.size()));
    const double step = rho * std::max(eps2, norm(x.weight, x.size()) / sqrt_n);
    scale(g, step / std::max(1.0, norm(g.data, x.size()) / (sqrt_n * threshold)));
  }
  void operator()(T& w, T update) const { w = kept * w - update; }

 private:
  /// means[i] moves to the mean of g(i, j)^2 over j < n.
  template <class G>
  void move_means(T* means, std::int64_t size, std::int64_t n, const G& g) const {
    for (std::int64_t i = 0; i < size; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < n; ++j) sum += static_cast<double>(g(i, j)) * static_cast<double>(g(i, j));
      means[i] = static_cast<T>(means[i] + c * (sum / static_cast<double>(n) - means[i]));
    }
  }
};

Rule adafactor(const AdafactorOptions& options = {});

}  // namespace tandem
