// Processes by posix_spawn, so that nothing of this process (threads, locks) is in them.
#include "jobs.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

#include <tandem/core/error.h>

#include "program.h"

namespace tandem::train {
namespace {

constexpr const char* kRun = "TANDEM_RUN";

pid_t spawn(const JobsOptions& options, std::size_t run) {
  std::vector<std::string> arguments = {std::filesystem::read_symlink("/proc/self/exe").string(), "--resume",
                                        options.folder.string()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::string own = std::string(kRun) + "=" + std::to_string(run);
  std::vector<char*> environment = {own.data()};
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::strncmp(*entry, kRun, std::strlen(kRun)) != 0) environment.push_back(*entry);
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environment.data());
  if (failed != 0) fail("--jobs", "a process cannot be started", std::strerror(failed));
  return pid;
}

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

std::optional<std::size_t> run_of_this_process() {
  const char* const text = std::getenv(kRun);
  if (text == nullptr) return std::nullopt;
  std::size_t run = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), run);
  if (error != std::errc{} || *end != '\0') fail(kRun, "not the number of a run", text);
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
