// The signal handlers. The flag is all that a handler may touch; the handler removes itself, so that a second Ctrl-C
// ends the process as usual.
#include "interrupt.h"

#include <signal.h>

#include <csignal>

namespace tandem::examples {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void handle(int) { interrupted = 1; }

void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted = 0;
  install(handle);
}

InterruptGuard::~InterruptGuard() { install(SIG_DFL); }

bool InterruptGuard::is_interrupted() { return interrupted != 0; }

}  // namespace tandem::examples
