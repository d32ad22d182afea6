// The program writes what it is asked for into a temporary folder (train/step_trace.h).
#include "run_path.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/optim/rule.h>
#include <tandem/train/command_line.h>
#include <tandem/train/process.h>
#include <tandem/train/program.h>
#include <tandem/train/step_trace.h>

namespace tandem::landscape {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tandem-path-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail(name, "the temporary folder cannot be made", std::strerror(errno));
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<Stop> read_stops(const fs::path& folder, const std::vector<std::int64_t>& steps, const nn::Module& like) {
  std::vector<Stop> stops;
  for (const std::int64_t step : steps)
    for (const bool is_before_pull : {true, false}) {
      const fs::path file = train::path_file(folder, step, is_before_pull);
      if (is_before_pull && !fs::exists(file)) continue;
      stops.push_back({step, is_before_pull, read_weights(file, like)});
    }
  return stops;
}

}  // namespace

std::vector<Stop> follow_run(const train::RunReference& run, const fs::path& program,
                             const std::vector<std::int64_t>& steps, const nn::Module& like) {
  const TemporaryFolder folder;
  train::Replay replay(run, program);
  replay.run({.path_steps = steps, .path = folder.path()});
  return read_stops(folder.path(), steps, like);
}

std::vector<Stop> follow_fork(const train::RunReference& run, const fs::path& program, std::int64_t from,
                              const std::string& optimizer, const std::vector<std::int64_t>& steps,
                              const nn::Module& like) {
  const TemporaryFolder folder;
  const fs::path request = folder.path() / "request.json", error = folder.path() / "error.txt";
  const std::string name = train::run_name(train::expand_optimizers({optimizer})[0].label, run.planned().seed);
  train::write_trace_request(request, {.run = name, .path_steps = steps, .path = folder.path(), .ends = true});
  const train::InterruptGuard interrupts;
  const pid_t pid = train::start_process(
      {.command = {program.string(), "--fork", fmt::format("{}@{}", run.path().string(), from), "--optimizer",
                   optimizer, "--out", (folder.path() / "fork").string(), "--quiet"},
       .environment = {{train::kTraceVariable, request.string()}},
       .output = "/dev/null",
       .error = error},
      run.manifest.program);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) fail(run.manifest.program, "the program cannot be waited for", std::strerror(errno));
  if (train::interrupt_signal() != 0) throw train::Interrupted("interrupted");
  const std::string said = read_file(error);
  if (train::exit_code_of(status) != 0 || !fs::exists(train::path_file(folder.path(), steps.back())))
    fail(program.string(), "the run cannot go on with its inner rule",
         said.empty() ? fmt::format("exit code {}", train::exit_code_of(status)) : said.substr(0, said.find('\n')));
  return read_stops(folder.path(), steps, like);
}

std::string inner_rule(const train::RunReference& run) {
  const Rule rule = parse_rule(run.planned().optimizer, run.manifest.total_steps);
  const std::shared_ptr<RuleNode> node = rule.node().clone();
  if (node->name() != "lookahead" && node->name() != "outer_loop") return {};
  for (const RuleNode::Child& child : node->children())
    if (std::strcmp(child.role, "inner") == 0) return child.node->describe();
  return {};
}

RunStep parse_run_step(const std::string& text, const std::string& where) {
  const std::size_t at = text.rfind('@');
  RunStep result;
  if (at == std::string::npos) fail_usage(where, fmt::format("\"{}\" names no step", text), {}, "RUN@STEP");
  const auto [end, error] = std::from_chars(text.data() + at + 1, text.data() + text.size(), result.step);
  if (error != std::errc{} || end != text.data() + text.size())
    fail_usage(where, fmt::format("\"{}\" is no step", text.substr(at + 1)), {}, "RUN@STEP");
  result.run = train::find_run(text.substr(0, at), where);
  return result;
}

}  // namespace tandem::landscape
