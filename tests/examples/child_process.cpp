// Child processes by fork and exec, their output through files: no pipe can fill up.
#include "examples/child_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

namespace tandem::test {

std::string Finished::last_error_line() const {
  std::string lines = error;
  while (!lines.empty() && lines.back() == '\n') lines.pop_back();
  return lines.substr(lines.rfind('\n') + 1);
}

Child::Child(const std::string& program, const std::vector<std::string>& arguments, const std::string& tandem_data,
             const Limits& limits) {
  const std::string path = program.starts_with("/") ? program : std::string(TANDEM_BIN_DIR) + "/" + program;
  const std::string output = (folder_ / "output").string(), error = (folder_ / "error").string();
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  process_ = ::fork();
  if (process_ < 0) fail("child process", "fork failed");
  if (process_ == 0) {
    ::dup2(::open(output.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    ::dup2(::open(error.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    if (!limits.input.empty()) ::dup2(::open(limits.input.c_str(), O_RDONLY), STDIN_FILENO);
    ::setenv("TANDEM_DATA", tandem_data.c_str(), 1);
    if (limits.file_bytes > 0) {
      const auto most = static_cast<rlim_t>(limits.file_bytes);
      const rlimit limit{most, most};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
}

Child::~Child() {
  if (has_ended()) return;
  send(SIGKILL);
  ::waitpid(process_, &status_, 0);
}

void Child::send(int signal) const { ::kill(process_, signal); }

bool Child::has_ended() {
  if (!has_ended_) has_ended_ = ::waitpid(process_, &status_, WNOHANG) == process_;
  return has_ended_;
}

Finished Child::wait() {
  if (!has_ended_) ::waitpid(process_, &status_, 0);
  has_ended_ = true;
  Finished finished;
  finished.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  finished.output = read_file(folder_ / "output");
  finished.error = read_file(folder_ / "error");
  return finished;
}

Finished run_child(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& tandem_data, const Child::Limits& limits) {
  return Child(program, arguments, tandem_data, limits).wait();
}

}  // namespace tandem::test
