// Child processes by fork and exec, their output through files: no pipe can fill up.
#include "examples/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include "core/temporary_folder.h"

namespace tandem::test {

std::string Finished::last_error_line() const {
  std::string lines = error;
  while (!lines.empty() && lines.back() == '\n') lines.pop_back();
  return lines.substr(lines.rfind('\n') + 1);
}

Finished run_child(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& tandem_data) {
  const TemporaryFolder folder;
  const std::string path = std::string(TANDEM_BIN_DIR) + "/" + program;
  const std::string output = (folder / "output").string(), error = (folder / "error").string();
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) fail("run_child", "fork failed");
  if (child == 0) {
    ::dup2(::open(output.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    ::dup2(::open(error.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    ::setenv("TANDEM_DATA", tandem_data.c_str(), 1);
    ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  Finished finished;
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  finished.output = read_file(output);
  finished.error = read_file(error);
  return finished;
}

}  // namespace tandem::test
