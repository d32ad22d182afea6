// What a function writes to standard error: warnings.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include <core/temporary_folder.h>
#include <tandem/core/io/file.h>

namespace tandem::test {

template <class F>
std::string standard_error_of(const F& f) {
  const TemporaryFolder folder;
  const std::string file = (folder / "stderr").string();
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  std::FILE* stream = std::fopen(file.c_str(), "w");
  ::dup2(::fileno(stream), STDERR_FILENO);
  f();
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  std::fclose(stream);
  return read_file(file);
}

}  // namespace tandem::test
