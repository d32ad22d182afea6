// posix_spawn with an environment and files of its own.
#include "process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include <tandem/core/error.h>

namespace tandem::train {

pid_t start_process(const ProcessOptions& options, const std::string& where) {
  std::vector<std::string> texts = options.command, own;
  for (const auto& [name, value] : options.environment) own.push_back(name + "=" + value);
  std::vector<char*> argv, environment;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  for (std::string& text : own) environment.push_back(text.data());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name(*entry, std::strcspn(*entry, "="));
    const bool is_replaced = std::any_of(options.environment.begin(), options.environment.end(),
                                         [&](const auto& replaced) { return replaced.first == name; });
    if (!is_replaced) environment.push_back(*entry);
  }
  environment.push_back(nullptr);

  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const auto redirect = [&](int descriptor, const std::filesystem::path& file) {
    if (!file.empty())
      ::posix_spawn_file_actions_addopen(&files, descriptor, file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  };
  redirect(STDOUT_FILENO, options.output);
  redirect(STDERR_FILENO, options.error);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) fail(where, "the program cannot be started", options.command.front() + ": " + std::strerror(failed));
  return pid;
}

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace tandem::train
