// Processes begun, waited for, told of signals.
#include "jobs.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

#include <tandem/core/error.h>

#include "process.h"
#include "program.h"

namespace tandem::train {
namespace {

pid_t spawn(const JobsOptions& options, std::size_t run) {
  std::vector<std::string> command = {own_program().string(), "--resume", options.folder.string()};
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  return start_process({.command = command, .environment = {{kRunVariable, std::to_string(run)}}}, "--jobs");
}

}  // namespace

std::optional<std::size_t> run_of_this_process() {
  const char* const text = std::getenv(kRunVariable);
  if (text == nullptr) return std::nullopt;
  std::size_t run = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), run);
  if (error != std::errc{} || *end != '\0') fail(kRunVariable, "not the number of a run", text);
  return run;
}

JobsResult run_jobs(const JobsOptions& options) {
  JobsResult result;
  std::map<pid_t, std::size_t> open;
  std::size_t next = 0;
  bool is_passed_on = false;
  while (next < options.runs.size() || !open.empty()) {
    const bool begins = result.exit_code == 0 && interrupt_signal() == 0 && next < options.runs.size() &&
                        open.size() < static_cast<std::size_t>(options.at_a_time);
    if (begins) {
      const std::size_t run = options.runs[next++];
      open[spawn(options, run)] = run;
      continue;
    }
    if (open.empty()) break;
    if (interrupt_signal() != 0 && !is_passed_on) {
      for (const auto& [pid, run] : open) ::kill(pid, interrupt_signal());
      is_passed_on = true;
    }
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
      ::usleep(20'000);
      continue;
    }
    if (pid < 0) fail("--jobs", "a process cannot be waited for", std::strerror(errno));
    const auto found = open.find(pid);
    if (found == open.end()) continue;
    const int code = exit_code_of(status);
    if (code != 0 && result.exit_code == 0) result = {code, found->second};
    open.erase(found);
  }
  return result;
}

}  // namespace tandem::train
