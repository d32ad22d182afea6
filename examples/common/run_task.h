// The rest of a program once its command line is read: make the Task, then compare optimizers or evaluate saved models.
#pragma once

#include <functional>
#include <memory>

#include "options.h"
#include "task.h"

namespace tandem::examples {

/// Makes the Task of a program from options that are complete.
using MakeTask = std::function<std::unique_ptr<Task>(const Options&)>;

/// compare(task, options); with --evaluate: evaluate_saved() of the models there, whose data set and model the options
/// take over before the task is made. `choose_dataset` fills in --dataset where neither says it. Returns the exit code.
int run_task(Options options, const std::function<void(Options&)>& choose_dataset, const MakeTask& make_task);

}  // namespace tandem::examples
