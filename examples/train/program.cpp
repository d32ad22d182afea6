// Exceptions become one line and an exit code. Line breaks inside a message would make it look like several errors.
#include "program.h"

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include <tandem/core/error.h>

#include "interrupt.h"

namespace tandem::train {
namespace {

int end_with(int code, std::string line) {
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", line.c_str());
  return code;
}

}  // namespace

int end_by_exception() {
  try {
    throw;
  } catch (const Interrupted& end) {
    return end_with(128 + interrupt_signal(), end.what());
  } catch (const UsageError& error) {
    return end_with(kExitUsage, error.what());
  } catch (const std::bad_alloc&) {
    return end_with(kExitError, "memory: not enough for this run; use a smaller --batch or --model");
  } catch (const std::exception& error) {
    return end_with(kExitError, error.what());
  }
}

}  // namespace tandem::train
