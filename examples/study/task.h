// What a rule is tried on: a small training problem that is made anew from a seed, stepped, and measured by one number
// that is small when the rule did well. Read next: tasks.h, the six that there are; trial.h, the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/named_tensor.h>
#include <tandem/autograd/tensor.h>

namespace tandem::study {

/// What is left to do at the end, 0 where nothing is: an error, a loss. `validation` chooses the learning
/// rate, `test` is what is reported.
struct Costs {
  double validation = 0, test = 0;
};

/// One training. Equal seeds give equal initial weights and equal batches, whatever the rule.
class Training {
 public:
  virtual ~Training() = default;
  virtual NamedTensors parameters() const = 0;
  /// The loss of the batch of this step, recorded; the same batch however often a step asks.
  virtual Tensor loss(std::int64_t step) = 0;
  /// Of the weights as they are, without gradients, in evaluation behaviour.
  virtual Costs measure() = 0;
};

struct Task {
  std::string name, about;   ///< "characters", "tinyshakespeare, an LSTM of 48 units"
  std::string measure;       ///< what a cost is: "test error"
  std::int64_t steps = 0;    ///< of the whole study
  double near = 0;           ///< costs so much above the best trial are near it, ...
  bool is_relative = false;  ///< ... times the best
  std::function<std::unique_ptr<Training>(std::uint64_t seed)> make = {};
};

}  // namespace tandem::study
