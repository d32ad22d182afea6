// CLI11 behind CommandLine, for its two sources. Private to examples/train.
#pragma once

#include <CLI/CLI.hpp>

#include "command_line.h"

namespace tandem::train {

struct CommandLine::Parser : CLI::App {
  using CLI::App::App;
};

}  // namespace tandem::train
