// A program of build/bin run as a child process, as a user would: exit code, standard output, standard error.
#pragma once

#include <string>
#include <vector>

namespace tandem::test {

struct Finished {
  int code = 0;  ///< the exit code, or 128 + signal
  std::string output, error;

  /// The last line of standard error: what went wrong. Warnings may stand before it.
  std::string last_error_line() const;
};

/// Runs build/bin/PROGRAM with the arguments. The environment is that of the test, with TANDEM_DATA as given.
Finished run_child(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& tandem_data = "/nonexistent");

}  // namespace tandem::test
