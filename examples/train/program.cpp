// Exceptions become one line and an exit code: line breaks inside a message would make it look like several errors. The
// flag is all that a signal handler may touch; it removes itself, so that a second Ctrl-C ends the process as usual.
#include "program.h"

#include <signal.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include <tandem/core/error.h>

#include "ranks.h"

namespace tandem::train {
namespace {

volatile std::sig_atomic_t interrupted = 0;
int guards = 0;  // that live

void handle(int signal) { interrupted = signal; }

void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  // Among ranks mpirun decides: it passes on what the user sends, repeats it, and kills who does not end.
  action.sa_flags = SA_RESTART | (workers()->size() > 1 ? 0 : SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

int end_with(int code, std::string line, const std::exception& error) {
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  std::fflush(stdout);
  say_for_all(error, line);
  return code;
}

}  // namespace

int end_by_exception() {
  try {
    throw;
  } catch (const Interrupted& end) {
    return end_with(128 + end.signal(), end.what(), end);
  } catch (const UsageError& error) {
    return end_with(kExitUsage, error.what(), error);
  } catch (const std::bad_alloc& error) {
    return end_with(kExitError, "memory: not enough for this run; use a smaller --batch or --model", error);
  } catch (const std::exception& error) {
    return end_with(kExitError, error.what(), error);
  }
}

InterruptGuard::InterruptGuard() {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error with a name, as a full disk is
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone (`| head`) does not end a training
  if (guards++ > 0) return;
  interrupted = 0;
  install(handle);
}

InterruptGuard::~InterruptGuard() {
  if (--guards == 0) install(SIG_DFL);
}

int interrupt_signal() { return interrupted; }

Interrupted::Interrupted(const std::string& line, int signal)
    : std::runtime_error(line), signal_(signal != 0 ? signal : interrupt_signal()) {}

}  // namespace tandem::train
