// The last thing a program prints: all runs, under their optimizers, with mean and standard deviation over the seeds.
#pragma once

#include <string>
#include <vector>

#include "run_folder.h"

namespace tandem::examples {

/// One block an optimizer, in the order of the results:
///
///                        train_loss  test_loss  test_accuracy   best  examples/s     time
///   momentum(lr=0.1, momentum=0.9)
///     seed 0                 0.6120     0.6321         0.7824 0.7824       3,412     1:02
///     seed 1                 ...
///     mean                   ...
///     standard deviation     ...
///
/// `metric`: the one whose best value is shown beside the final ones. Ends with a line break.
std::string result_table(const std::vector<RunResult>& results, const std::string& metric);

}  // namespace tandem::examples
