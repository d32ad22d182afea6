// shampoo: Gupta, Koren, Singer 2018, "Shampoo: preconditioned stochastic tensor optimization", algorithm 1: a matrix
// [out, in kh kw] is multiplied from both sides by roots of the sums of G G^T and G^T G; of a vector there is one side,
// and the rule is full-matrix Adagrad.
//
//   L <- L + G G^T,   R <- R + G^T G
//   U = (eps I + L)^(-1/4) G (eps I + R)^(-1/4)      of a vector (eps I + L)^(-1/2) G
//   m <- momentum m + U
//   w <- w - lr m
//
// Roots by eigenvalues (engine/eigen.h), anew in a tensor's step 1 and every `every` steps. A side longer than max_dim
// is left as it is: its factor is I and the other's exponent stays.
#pragma once

#include <tandem/optim/engine/two_sides.h>
#include <tandem/optim/leaf.h>

namespace tandem {

struct ShampooOptions {
  Schedule lr = 0.1, momentum = 0, eps = 1e-4, every = 1;
  std::int64_t max_dim = 1024;
  Schedule weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment);
    f("eps", eps, {.is_low_open = true});
    f("every", every, kCount);
    f("max_dim", max_dim, kCount, Fields::Print::if_changed);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Shampoo : WholeTensorFormula {
  using Options = ShampooOptions;
  static constexpr const char* kName = "shampoo";
  static constexpr std::array kBuffers = {State{"momentum_buffer", Role::first_moment}};

  WeightDecay<T> decay;
  T lr, momentum;
  double eps;
  bool is_due;

  Shampoo(const Options& h, Step t) : decay(h, t), lr(coefficient<T>("lr", h.lr(t))), eps(h.eps(t)) {
    momentum = coefficient<T>("momentum", h.momentum(t)), is_due = (t.count - 1) % whole(h.every(t)) == 0;
  }
  static std::vector<StateArray> arrays(const Options& h, const Shape& shape) {
    return two_sides(shape, h.max_dim, true, {"left_root", "right_root"});
  }
  static std::int64_t scratch(const Options& h, std::int64_t rows, std::int64_t columns) {
    return TwoSides<T>::scratch(rows, columns, h.max_dim) + rows * columns;
  }
  static std::int64_t doubles(const Options& h, std::int64_t rows, std::int64_t columns) {
    return side_doubles(TwoSides<T>::longest(rows, columns, h.max_dim));
  }

  void look(const WholeTensor<T>& x) const {
    const Matrix<T> g = x.matrix(), m{x.buffers[0], g.rows, g.columns};
    TwoSides<T> sides(x);
    const Matrix<T> between{sides.work, g.rows, g.columns};
    sides.work += g.size();
    for (std::int64_t i = 0; i < g.size(); ++i) g.data[i] += decay.coupled * x.weight[i];
    sides.accumulate(g, 1, 1);
    const double exponent = x.shape.rank() > 1 ? -0.25 : -0.5;
    if (is_due && sides.left.data != nullptr) matrix_power(sides.left_result, sides.left, eps, exponent, x.doubles);
    if (is_due && sides.right.data != nullptr) matrix_power(sides.right_result, sides.right, eps, exponent, x.doubles);
    sides.apply(g, g, false, between);
    for (std::int64_t i = 0; i < g.size(); ++i) g.data[i] = m.data[i] = momentum * m.data[i] + g.data[i];
  }
  void operator()(T& w, T update) const { w = decay.kept * w - lr * update; }
};

Rule shampoo(const ShampooOptions& options = {});

}  // namespace tandem
