// Weight decay in its two forms, for the formulas of leaves (Loshchilov & Hutter 2019, "Decoupled weight decay
// regularization"):
//
//   coupled:    g <- g + weight_decay w
//   decoupled:  w <- w - lr weight_decay w     before the update, which does not see it
//
// With no_bias_decay parameters of rank <= 1 (biases, norms) are not decayed.
#pragma once

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/rule.h>

namespace tandem {

/// The coefficients of a step, from options with lr, weight_decay and decoupled.
template <class T>
struct WeightDecay {
  T coupled, kept;

  template <class Options>
  WeightDecay(const Options& h, Step t)
      : coupled(h.decoupled ? T(0) : coefficient<T>("weight_decay", h.weight_decay(t))),
        kept(h.decoupled ? coefficient<T>("1 - lr weight_decay", 1 - h.lr(t) * h.weight_decay(t)) : T(1)) {}

  void operator()(T& w, T& g) const {
    g += coupled * w;
    w *= kept;
  }
};

/// The fields that every leaf with both forms ends with.
template <class Options>
void weight_decay_fields(Fields& f, Options& options) {
  f("weight_decay", options.weight_decay, kNotNegative);
  f("decoupled", options.decoupled);
  f("no_bias_decay", options.no_bias_decay);
}

}  // namespace tandem
