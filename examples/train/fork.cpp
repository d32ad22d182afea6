// The state of a run for other runs.
#include "fork.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/file.h>

#include "process.h"
#include "replay.h"

namespace tandem::train {
namespace {

constexpr const char* kOption = "--fork";

/// Roles in the order in which they come, each once: entries of parameters without the parameter.
std::string roles_of(const std::vector<std::string>& entries, const nn::Module& model) {
  std::vector<std::string> roles;
  const NamedTensors parameters = model.parameters();
  for (std::string entry : entries) {
    if (entry == "step") entry = "step count";  // of the optimizer; a rule may count its own steps
    for (const NamedTensor& parameter : parameters)
      if (entry.ends_with("/" + parameter.name)) {
        entry.resize(entry.size() - parameter.name.size() - 1);
        break;
      }
    if (entry.starts_with("groups/0/")) entry.erase(0, 9);
    if (std::find(roles.begin(), roles.end(), entry) == roles.end()) roles.push_back(entry);
  }
  return roles.empty() ? "nothing" : fmt::format("{}", fmt::join(roles, ", "));
}

}  // namespace

ForkPoint parse_fork(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos || text.find('/', at) != std::string::npos) return {text, std::nullopt};
  std::int64_t step = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + at + 1, end, step);
  if (error != std::errc{} || stop != end || step < 0)
    fail_usage(kOption, fmt::format("\"{}\" is not a step", text.substr(at + 1)), text, "RUN@STEP, or RUN");
  return {text.substr(0, at), step};
}

std::optional<ForkPoint> fork_of(const Manifest& manifest) {
  constexpr std::string_view kBegin = "--fork=";
  for (const std::string& argument : manifest.arguments)
    if (argument.starts_with(kBegin)) return parse_fork(argument.substr(kBegin.size()));
  return std::nullopt;
}

std::string read_fork(const ForkPoint& fork, const std::string& data_checksum) {
  const RunReference run = find_run(fork.run, kOption);
  if (run.manifest.experiment.data_checksum != data_checksum)
    fail(run.path().string(), "the training data are not those of this run",
         fmt::format("checksum is {}, was {}", data_checksum, run.manifest.experiment.data_checksum),
         "--data says where they lie");
  const std::int64_t step = fork.step.value();
  if (step != first_step(run)) check_step(run, step, kOption);
  const std::optional<Beginning> nearest = nearest_beginning(run, step);
  if (nearest && nearest->step == step) return read_file(nearest->path);
  Replay replay(run, own_program());
  const std::filesystem::path state = replay.file("state.safetensors");
  replay.run({.save_at = step, .save = state});
  return read_file(state);
}

std::string to_string(const ForkReport& report, const nn::Module& model) {
  std::string text = "taken: weights, buffers, random states, " + roles_of(report.taken, model);
  return report.fresh.empty() ? text : text + "; fresh: " + roles_of(report.fresh, model);
}

}  // namespace tandem::train
