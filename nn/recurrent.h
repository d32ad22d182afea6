// Recurrent: what LSTM and GRU share: layers, directions, states, dropout between layers and on recurrent weights.
// Weights have PyTorch's names and gate order. Not here: the recurrence itself (autograd/sequence_ops.h).
// Read next: lstm.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/autograd/sequence_ops.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

struct RecurrentLayerOptions {
  std::int64_t in = 0;      ///< features of a step of the input
  std::int64_t hidden = 0;  ///< features of the state, and of the output in each direction
  std::int64_t layers = 1;
  bool bias = true;
  bool bidirectional = false;
  bool batch_first = false;   ///< x and y are [B, T, ...] in place of [T, B, ...]
  double dropout = 0;         ///< on the outputs of every layer but the last, while training
  double weight_dropout = 0;  ///< on the recurrent weights, once a call (DropConnect; Merity et al. 2018), in training
};

/// The state between two calls: [layers * directions, B, hidden], of each layer first forward, then backward.
struct RecurrentState {
  Tensor h, c;  ///< undefined: zeros; c of an LSTM alone

  /// The same numbers without history: truncated back-propagation through time carries this to the next part.
  RecurrentState detach() const { return {h.defined() ? h.detach() : h, c.defined() ? c.detach() : c}; }
};

struct RecurrentOutput {
  Tensor y;              ///< [T, B, hidden * directions] of the last layer
  RecurrentState state;  ///< after the last step of each sequence
};

/// Sequences of different lengths: give `lengths`; after its end a sequence gives zeros and keeps its state, as
/// PyTorch's packed sequences do. Weights start from U(-1/sqrt(hidden), 1/sqrt(hidden)).
class Recurrent : public Module {
 public:
  using Module::operator();
  /// y and the last states, from x [T, B, in] and first states. Throws Error when shapes or lengths do not fit.
  RecurrentOutput operator()(const Tensor& x, const RecurrentState& state,
                             const std::vector<std::int64_t>& lengths = {});

  std::string describe() const override;
  std::int64_t multiply_adds(const Shape& x, const Shape& y) const override;
  const RecurrentLayerOptions& options() const { return options_; }

 protected:
  /// name: of the class, for errors. gates: per unit.
  Recurrent(const char* name, std::int64_t gates, bool has_cell, const RecurrentLayerOptions& options);

  Tensor forward(const Tensor& x) override;
  /// One layer in one direction.
  virtual RecurrentResult run(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
                              const Tensor& b_ih, const Tensor& b_hh, const RecurrentOptions& options) = 0;

 private:
  struct Weights {
    Tensor w_ih, w_hh, b_ih, b_hh;
  };
  std::int64_t directions() const { return options_.bidirectional ? 2 : 1; }
  RecurrentOutput compute(const Tensor& x, const RecurrentState& state, const std::vector<std::int64_t>& lengths);
  Tensor first_state(const char* name, const Tensor& all, std::int64_t index, std::int64_t batch) const;

  const char* kind_;
  bool has_cell_;
  RecurrentLayerOptions options_;
  std::vector<Weights> weights_;  // of each layer first forward, then backward
  Tensor generator_;
};

}  // namespace tandem::nn
