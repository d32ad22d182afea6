// A program of build/bin run as a child process, as a user would: exit code, standard output, standard error.
#pragma once

#include <string>
#include <vector>

#include "core/temporary_folder.h"

namespace tandem::test {

struct Finished {
  int code = 0;  ///< the exit code, or 128 + signal
  std::string output, error;

  /// The last line of standard error: what went wrong. Warnings may stand before it.
  std::string last_error_line() const;
};

/// A program of build/bin, or one whose path begins with a slash, that runs beside the test, which may send it signals.
class Child {
 public:
  struct Limits {
    long file_bytes = 0;     ///< no file may grow beyond (a full disk); 0: none
    std::string input = {};  ///< the file that is standard input; empty: that of the test
  };
  Child(const std::string& program, const std::vector<std::string>& arguments, const std::string& tandem_data,
        const Limits& limits);
  /// Kills it when it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void send(int signal) const;
  int process() const { return process_; }
  bool has_ended();
  /// Waits for the end.
  Finished wait();

 private:
  TemporaryFolder folder_;
  int process_ = -1, status_ = 0;
  bool has_ended_ = false;
};

/// Runs build/bin/PROGRAM with the arguments to its end. The environment is that of the test, with TANDEM_DATA as
/// given.
Finished run_child(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& tandem_data = "/nonexistent", const Child::Limits& limits = {});

}  // namespace tandem::test
