// InterruptGuard: signals are noted as long as one lives, also after another one inside it has gone.
#include <doctest/doctest.h>

#include <csignal>

#include <tandem/train/program.h>

using namespace tandem;

TEST_CASE("a guard inside another one leaves signals to the outer one") {
  {
    const train::InterruptGuard outer;
    CHECK(train::interrupt_signal() == 0);
    { const train::InterruptGuard inner; }
    std::raise(SIGTERM);  // ends this process where nobody notes it
    CHECK(train::interrupt_signal() == SIGTERM);
    const train::InterruptGuard late;
    CHECK(train::interrupt_signal() == SIGTERM);
  }
  const train::InterruptGuard next;
  CHECK(train::interrupt_signal() == 0);
}
