// soap: Vyas et al. 2024, "SOAP: improving and stabilizing Shampoo using Adam", algorithm 3: Adam in the slowly turning
// eigenbasis of Shampoo's matrices. Vectors, and both sides of a matrix [out, in kh kw] longer than max_dim, have I
// there.
//
//   m <- beta1 m + (1 - beta1) G
//   m' = P m Q^T,   G' = P G Q^T                      rows of P, Q: eigenvectors of L, R as they were last worked out
//   v <- beta2 v + (1 - beta2) G'^2
//   U = P^T (m' / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)) Q
//   w <- w - lr (weight_decay w + U)
//   L <- beta2 L + (1 - beta2) G G^T,   R <- beta2 R + (1 - beta2) G^T G
//   every `every` steps: P^T <- QR(L P^T), Q^T <- QR(R Q^T)     one step of the power iteration, algorithm 4
//
// As in the authors' code a tensor's first step only makes L, R and, by eigendecomposition, P and Q; t counts from the
// second.
#pragma once

#include <tandem/optim/engine/two_sides.h>
#include <tandem/optim/leaf.h>
#include <tandem/optim/moments.h>

namespace tandem {

struct SoapOptions {
  Schedule lr = 3e-3, beta1 = 0.95, beta2 = 0.95, eps = 1e-8, every = 10;
  std::int64_t max_dim = 1024;
  Schedule weight_decay = 0.01;
  bool no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    moments_fields(f, *this);
    f("every", every, kCount);
    f("max_dim", max_dim, kCount, Fields::Print::if_changed);
    f("weight_decay", weight_decay, kNotNegative);
    f("no_bias_decay", no_bias_decay);
  }
};

template <class T>
struct Soap : WholeTensorFormula {
  using Options = SoapOptions;
  static constexpr const char* kName = "soap";
  static constexpr std::array kBuffers = {State{"exp_avg", Role::first_moment}, State{"exp_avg_sq"}};

  Moments<T> moments;
  T lr, kept, corrected;
  double beta2;
  bool is_first, is_due;

  Soap(const Options& h, Step t)
      : moments(h, {t.index, std::max<std::int64_t>(1, t.count - 1)}),
        lr(coefficient<T>("lr", h.lr(t))),
        beta2(h.beta2(t)),
        is_first(t.count == 1) {
    kept = coefficient<T>("1 - lr weight_decay", is_first ? 1 : 1 - h.lr(t) * h.weight_decay(t));
    corrected = coefficient<T>("1 / (1 - beta1^t)", 1 / moments.correction1);
    is_due = (t.count - 1) % whole(h.every(t)) == 0;
  }
  static std::vector<StateArray> arrays(const Options& h, const Shape& shape) {
    return two_sides(shape, h.max_dim, false, {"left_basis", "right_basis"});
  }
  static std::int64_t scratch(const Options& h, std::int64_t rows, std::int64_t columns) {
    return TwoSides<T>::scratch(rows, columns, h.max_dim) + 3 * rows * columns;
  }
  static std::int64_t doubles(const Options& h, std::int64_t rows, std::int64_t columns) {
    return side_doubles(TwoSides<T>::longest(rows, columns, h.max_dim));
  }

  void look(const WholeTensor<T>& x) const {
    const Matrix<T> g = x.matrix(), m{x.buffers[0], g.rows, g.columns};
    TwoSides<T> sides(x);
    const Matrix<T> turned{sides.work, g.rows, g.columns}, turned_m{turned.data + g.size(), g.rows, g.columns};
    const Matrix<T> between{turned_m.data + g.size(), g.rows, g.columns};
    sides.work = between.data + g.size();
    sides.accumulate(g, beta2, 1 - beta2);
    if (!is_first) {
      combine(m, static_cast<double>(moments.beta1), m, static_cast<double>(moments.one_minus_beta1), g);
      sides.apply(turned, g, false, between);
      sides.apply(turned_m, m, false, between);
      for (std::int64_t i = 0; i < g.size(); ++i) {
        T& v = x.buffers[1][i];
        v = moments.beta2 * v + moments.one_minus_beta2 * turned.data[i] * turned.data[i];
        turned.data[i] = corrected * turned_m.data[i] / moments.root(v);
      }
      sides.apply(g, turned, true, between);
    } else {
      scale(g, 0);
    }
    if (!is_due) return;
    const auto turn_basis = is_first ? eigenbasis<T> : follow_eigenbasis<T>;
    if (sides.left.data != nullptr) turn_basis(sides.left_result, sides.left, x.doubles);
    if (sides.right.data != nullptr) turn_basis(sides.right_result, sides.right, x.doubles);
  }
  void operator()(T& w, T update) const { w = kept * w - lr * update; }
};

Rule soap(const SoapOptions& options = {});

}  // namespace tandem
