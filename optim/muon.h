// muon: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks": momentum whose update, a matrix
// [out, in kh kw], is replaced by the nearest orthogonal one, all of its singular values brought near 1. For matrices
// alone: groups(matrices: muon(); *: adamw()).
//
//   m <- momentum m + g,   u = g + momentum m (nesterov), or m
//   X = u / (|u| + 1e-7), transposed where it is taller than wide
//   steps times:  A = X X^T,  X <- 3.4445 X + (-4.775 A + 2.0315 A^2) X     Newton-Schulz, a quintic
//   w <- w - lr (weight_decay w + scale X)
//   scale = sqrt(max(1, rows / columns)), or match_adamw: 0.2 sqrt(max(rows, columns)), which gives updates the size of
//   AdamW's (Liu et al. 2025, "Muon is scalable for LLM training", equation 4)
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct MuonOptions {
  Schedule lr = 0.02, momentum = 0.95;
  bool nesterov = true;
  Schedule steps = 5;  ///< of Newton-Schulz
  bool match_adamw = false;
  Schedule weight_decay = 0;

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment);
    f("nesterov", nesterov);
    f("steps", steps, kCount);
    f("match_adamw", match_adamw);
    f("weight_decay", weight_decay, kNotNegative);
  }
};

template <class T>
struct Muon : WholeTensorFormula {
  using Options = MuonOptions;
  static constexpr const char* kName = "muon";
  static constexpr std::array kBuffers = {State{"momentum_buffer", Role::first_moment}};
  static constexpr int kLeastRank = 2;

  T lr, kept, momentum;
  bool nesterov, match_adamw;
  std::int64_t steps;

  Muon(const Options& h, Step t) : lr(coefficient<T>("lr", h.lr(t))), nesterov(h.nesterov), match_adamw(h.match_adamw) {
    kept = coefficient<T>("1 - lr weight_decay", 1 - h.lr(t) * h.weight_decay(t));
    momentum = coefficient<T>("momentum", h.momentum(t)), steps = whole(h.steps(t));
  }
  void operator()(T& w, T update) const { w = kept * w - lr * update; }

  void look(const WholeTensor<T>& x) const {
    for (std::int64_t i = 0; i < x.size(); ++i) {
      T& m = x.buffers[0][i];
      m = momentum * m + x.update[i];
      x.update[i] = nesterov ? x.update[i] + momentum * m : m;
    }
    const std::int64_t n = std::min(x.rows, x.columns), wide = std::max(x.rows, x.columns);
    const Matrix<T> X{x.scratch, n, wide}, Y{X.data + X.size(), n, wide};
    const Matrix<T> A{Y.data + Y.size(), n, n}, B{A.data + A.size(), n, n};
    turn(X, x.matrix());
    scale(X, 1 / (norm(X.data, X.size()) + 1e-7));
    for (std::int64_t step = 0; step < steps; ++step) {
      multiply_transposed(A, X, X, Y.data);
      multiply(B, A, A);
      combine(B, -4.775, A, 2.0315, B);
      multiply(Y, B, X);
      combine(X, 3.4445, X, 1, Y);
    }
    turn(x.matrix(), X);
    const double ratio = static_cast<double>(x.rows) / static_cast<double>(x.columns);
    const double of_adamw = 0.2 * std::sqrt(static_cast<double>(wide));
    scale(x.matrix(), match_adamw ? of_adamw : std::sqrt(std::max(1.0, ratio)));
  }
  static std::int64_t scratch(const Options&, std::int64_t rows, std::int64_t columns) {
    const std::int64_t n = std::min(rows, columns);
    return 2 * rows * columns + 2 * n * n;
  }
};

Rule muon(const MuonOptions& options = {});

}  // namespace tandem
