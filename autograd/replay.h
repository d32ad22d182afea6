// Replay: forward and backward of a small network for the price of their arithmetic. The kernels of one pass are kept
// (core/capture.h) and run again on the same memory, without graph, allocation, checks or dispatch, with the same bits.
//
//   Replay pass([&](const std::vector<Tensor>& in) { return mse_loss(model(in[0]), in[1]); });
//   for (const Batch& batch : batches) {
//     optimizer.zero_grad();
//     const Tensor loss = pass(batch.x, batch.y);  // as loss = mse_loss(model(x), y); loss.backward();
//     optimizer.step();
//   }
//
// It pays where a step takes microseconds: a network of 65 weights on 4 examples takes 1.1 us in place of 4.2. Where
// kernels take long it wins nothing and keeps all values of the pass in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

class Replay {
 public:
  /// A scalar from the inputs and from parameters whose gradients an Optimizer has bound, computed by ops on the
  /// calling thread. What else it does or reads is what it was in the pass that was kept: a coefficient that changes
  /// must be an input; a count, a state for the next call and what is read through data() stand still. Values that it
  /// hands out (logits) are memory that each replay writes anew.
  using Loss = std::function<Tensor(const std::vector<Tensor>& inputs)>;

  explicit Replay(Loss loss);
  ~Replay();
  Replay(Replay&&) noexcept;
  Replay& operator=(Replay&&) noexcept;

  /// The loss of these inputs, and its gradients in the parameters. For each set of shapes and dtypes the first call
  /// computes as usual, the second keeps its kernels, later ones replay them, as long as nothing has changed that
  /// they depend on: the mode of a module, frozen parameters, hooks, autocast, threads, where memory lies. A pass that
  /// adds to gradients, is profiled, searched for anomalies or shared by workers computes as usual; so does one with
  /// ops that cannot be kept (convolutions, recurrences, what is random), of which a warning tells once. No other
  /// thread may be in a backward into the same parameters meanwhile. Exceptions of the loss go on to the caller.
  template <class... Inputs>
  Tensor operator()(const Inputs&... inputs) {
    return run({&inputs...});
  }

  /// Calls that were replayed.
  std::int64_t replayed() const;
  /// Why the last pass that was to be kept cannot be, "dropout is not captured"; "" when it can.
  const std::string& why_not() const;

 private:
  Tensor run(std::initializer_list<const Array*> inputs);

  class Impl;
  Impl& impl() const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
