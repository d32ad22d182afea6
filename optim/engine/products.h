// Products of the vectors of L-BFGS (lbfgs.h), and the two-loop recursion on them: numbers alone, no weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace tandem {

/// Products of g, s_0, y_0, s_1, y_1, ... (0: the newest pair), and combinations of these vectors.
class Products {
 public:
  /// Of `history` pairs that are kept and the newest.
  explicit Products(std::int64_t history)
      : pairs_(history + 1),
        table_(static_cast<std::size_t>(size() * size())),
        combination_(static_cast<std::size_t>(size())),
        factors_(static_cast<std::size_t>(pairs_)) {}
  void clear() { std::fill(table_.begin(), table_.end(), 0.0); }
  std::int64_t size() const { return 2 * pairs_ + 1; }
  double& at(std::int64_t i, std::int64_t j) { return table_[static_cast<std::size_t>(i * size() + j)]; }
  double at(std::int64_t i, std::int64_t j) const { return table_[static_cast<std::size_t>(i * size() + j)]; }
  static std::int64_t s(std::int64_t pair) { return 2 * pair + 1; }
  static std::int64_t y(std::int64_t pair) { return 2 * pair + 2; }
  double curvature(std::int64_t pair) const { return at(s(pair), y(pair)); }
  bool is_curved(std::int64_t pair) const { return curvature(pair) > 1e-10 * at(y(pair), y(pair)); }

  /// <vector i, the combination q>.
  double product(std::int64_t i, const std::vector<double>& q) const {
    double sum = 0;
    for (std::int64_t j = 0; j < size(); ++j) sum += q[static_cast<std::size_t>(j)] * at(i, j);
    return sum;
  }

  /// -H g as a combination: the two-loop recursion over as many pairs as are kept, with or without the newest.
  std::vector<double>& direction(bool with_newest) {
    std::vector<double>&q = combination_, &a = factors_;
    std::fill(q.begin(), q.end(), 0.0);
    q[0] = -1;
    const auto add = [&q](std::int64_t i, double x) { q[static_cast<std::size_t>(i)] += x; };
    double scale = 1;
    bool is_first = true;
    const std::int64_t newest = with_newest ? 0 : 1, oldest = newest + pairs_ - 2;
    for (std::int64_t p = newest; p <= oldest; ++p) {
      if (!is_curved(p)) continue;
      a[static_cast<std::size_t>(p)] = product(s(p), q) / curvature(p);
      add(y(p), -a[static_cast<std::size_t>(p)]);
      if (std::exchange(is_first, false)) scale = curvature(p) / at(y(p), y(p));
    }
    for (double& x : q) x *= scale;
    for (std::int64_t p = oldest; p >= newest; --p) {
      if (is_curved(p)) add(s(p), a[static_cast<std::size_t>(p)] - product(y(p), q) / curvature(p));
    }
    return q;
  }

 private:
  std::int64_t pairs_;
  std::vector<double> table_, combination_, factors_;
};

}  // namespace tandem
