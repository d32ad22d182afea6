// The signal handlers. The flag is all that a handler may touch; the handler removes itself, so that a second Ctrl-C
// ends the process as usual.
#include "interrupt.h"

#include <signal.h>

#include <csignal>

namespace tandem::train {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void handle(int signal) { interrupted = signal; }

void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error with a name, as a full disk is
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone (`| head`) does not end a training
  interrupted = 0;
  install(handle);
}

InterruptGuard::~InterruptGuard() { install(SIG_DFL); }

int interrupt_signal() { return interrupted; }

}  // namespace tandem::train
