// The training steps that benchmark times: networks of the sizes that other frameworks are held against, and optimizers
// alone. Inputs are random, already in memory, channels-last. Not here: timing (benchmark.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/module.h>
#include <tandem/optim/rule.h>

namespace tandem {

/// A training step that returns its loss, and what it trains.
struct Workload {
  std::int64_t parameters = 0;
  std::function<double()> step;
  int steps_a_time = 1;      ///< steps that are timed as one block: of the smallest networks, and of cycles
  bool is_replayed = false;  ///< by a Replay (autograd/replay.h), as the smallest networks are
};

/// Of all workloads, sorted.
std::vector<std::string> workload_names();
/// Its own rule trains it, or `rule`, as optim/text reads it, where that is not empty. Throws Error for a name that is
/// not known. Eager: without a Replay.
Workload make_workload(const std::string& name, const std::string& rule = {}, bool eager = false);

/// The residual network of resnet20 and resnet18; shortcuts are 1x1 convolutions where the shape changes.
std::shared_ptr<nn::Module> residual_model(const std::vector<std::int64_t>& widths, int blocks);

}  // namespace tandem
