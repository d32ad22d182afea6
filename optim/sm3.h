// sm3: Anil, Gupta, Koren, Singer 2019, "Memory-efficient adaptive optimization", algorithm SM3-II with momentum:
// Adagrad that keeps one number for each slice of a tensor in place of one for each weight. mu_d has d's length for
// every dim d of the shape (a vector: one a weight, Adagrad itself).
//
//   v(i) = min over dims d of mu_d(i_d) + g(i)^2
//   mu_d(j) <- max of v(i) over all i with i_d = j
//   m <- momentum m + (1 - momentum) g / sqrt(v)      0 where v is
//   w <- w - lr m
#pragma once

#include <tandem/optim/leaf.h>

namespace tandem {

struct Sm3Options {
  Schedule lr = 0.1, momentum = 0.9, weight_decay = 0;
  bool decoupled = false, no_bias_decay = false;  ///< see weight_decay.h

  void fields(Fields& f) {
    f("lr", lr, kNotNegative, kAlways);
    f("momentum", momentum, kMoment);
    weight_decay_fields(f, *this);
  }
};

template <class T>
struct Sm3 : WholeTensorFormula {
  using Options = Sm3Options;
  static constexpr const char* kName = "sm3";
  static constexpr std::array kBuffers = {State{"momentum_buffer", Role::first_moment}};
  static constexpr std::array kSlices = {"mu0", "mu1", "mu2", "mu3", "mu4", "mu5", "mu6", "mu7"};

  WeightDecay<T> decay;
  T lr, momentum, one_minus_momentum;

  Sm3(const Options& h, Step t) : decay(h, t), lr(coefficient<T>("lr", h.lr(t))) {
    momentum = coefficient<T>("momentum", h.momentum(t));
    one_minus_momentum = coefficient<T>("1 - momentum", 1 - h.momentum(t));
  }
  static std::vector<StateArray> arrays(const Options&, const Shape& shape) {
    std::vector<StateArray> all;
    for (int d = 0; d < static_cast<int>(kSlices.size()); ++d) {
      all.push_back(
          {kSlices[static_cast<std::size_t>(d)], {d < shape.rank() ? shape[d] : 1}, d < std::max(1, shape.rank())});
    }
    return all;
  }
  static std::int64_t scratch(const Options&, std::int64_t rows, std::int64_t columns) { return rows * columns; }

  void look(const WholeTensor<T>& x) const {
    const auto dims = static_cast<std::size_t>(std::max(1, x.shape.rank()));
    const auto length = [&](std::size_t d) { return x.shape.rank() == 0 ? 1 : x.shape[static_cast<int>(d)]; };
    const auto for_all = [&](auto&& f) {
      std::array<std::int64_t, kSlices.size()> at{};
      for (std::int64_t i = 0; i < x.size(); ++i) {
        f(i, at);
        for (std::size_t d = dims; d-- > 0 && ++at[d] == length(d);) at[d] = 0;
      }
    };
    T* const v = x.scratch;
    for_all([&](std::int64_t i, const auto& at) {
      const T g = x.update[i] + decay.coupled * x.weight[i];
      v[i] = x.arrays[0][at[0]];
      for (std::size_t d = 1; d < dims; ++d) v[i] = std::min(v[i], x.arrays[d][at[d]]);
      v[i] += g * g;
      T& m = x.buffers[0][i];
      x.update[i] = m = momentum * m + one_minus_momentum * (v[i] == 0 ? T(0) : g / std::sqrt(v[i]));
    });
    for (std::size_t d = 0; d < dims; ++d) std::fill(x.arrays[d], x.arrays[d] + length(d), T(0));
    for_all([&](std::int64_t i, const auto& at) {
      for (std::size_t d = 0; d < dims; ++d) x.arrays[d][at[d]] = std::max(x.arrays[d][at[d]], v[i]);
    });
  }
  void operator()(T& w, T update) const { w = decay.kept * w - lr * update; }
};

Rule sm3(const Sm3Options& options = {});

}  // namespace tandem
