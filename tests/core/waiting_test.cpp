// Threads that wait asleep leave the processor to others, and compute the same.
#include <doctest/doctest.h>

#include <chrono>
#include <ctime>
#include <thread>

#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/threads.h>
#include <tandem/core/waiting.h>
#include <tests/core/random_arrays.h>

using namespace tandem;

namespace {

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Regions in which one thread takes 2 ms without computing, while the others wait for it.
double cpu_of_waiting() {
  const double begin = cpu_seconds();
  for (int i = 0; i < 100; ++i)
    parallel_for(2, 1, [](std::int64_t first, std::int64_t) {
      if (first == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    });
  return cpu_seconds() - begin;
}

}  // namespace

TEST_CASE("while neighbours want the processors, threads wait asleep") {
  if (threads() < 2 || !tandem::detail::set_sleeping_wait(true)) {
    MESSAGE("SKIPPED: one thread, another runtime, or the environment says how to wait");
    return;
  }
  CHECK(tandem::detail::is_sleeping_wait());
  CHECK(cpu_of_waiting() < 0.1);  // spinning takes 0.2 s
  CHECK(tandem::detail::set_sleeping_wait(false));
  CHECK(!tandem::detail::is_sleeping_wait());
}

TEST_CASE("how threads wait changes no bit") {
  Generator generator(1);
  Array a = Array::empty({300, 200}), b = Array::empty({200, 300});
  generator.fill_normal(a);
  generator.fill_normal(b);
  const Array before = kernels::matmul(a, b);
  const bool can = tandem::detail::set_sleeping_wait(true);
  CHECK(identical(kernels::matmul(a, b), before));
  if (can) tandem::detail::set_sleeping_wait(false);
  CHECK(identical(kernels::matmul(a, b), before));
}
