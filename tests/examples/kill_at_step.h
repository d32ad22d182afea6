// kill_at_step: a training program that dies in the middle, at a step that is known. The run has many steps left, so
// that nothing depends on how fast the machine is.
#pragma once

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>

#include "examples/child_process.h"

namespace tandem::test {

/// Runs the program until the checkpoint of a run is of step `step` or later, kills it, and gives the step at which the
/// checkpoint that is left stands. Throws Error when the program ends before.
inline std::int64_t kill_at_step(const std::string& program, const std::vector<std::string>& arguments,
                                 const std::filesystem::path& run, std::int64_t step) {
  const std::filesystem::path path = run / "checkpoint.safetensors";
  Child child(program, arguments, "/nonexistent", {});
  std::error_code ignored;
  while (!std::filesystem::exists(path, ignored) || load_checkpoint(path).number("step") < step) {
    if (child.has_ended()) fail(program, "ended before it was killed", child.wait().error);
    ::usleep(1000);
  }
  child.send(SIGKILL);
  const Finished end = child.wait();
  if (end.code != 128 + SIGKILL) fail(program, "came to its end before it was killed", end.error);
  return load_checkpoint(path).number("step");
}

}  // namespace tandem::test
