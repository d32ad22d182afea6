// How many threads compute, and the parallel loop that all kernels use (over OpenMP, hidden in threads.cpp).
// The number of threads never changes a result of random numbers; work below the grain runs on the caller alone.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace tandem {

/// Threads that compute; default: the processors this process may run on.
int threads();
/// Throws Error when n < 1. Also sets OpenBLAS's and oneDNN's team, which are the same OpenMP runtime.
void set_threads(int n);

/// "avx2", "avx512" or "x86-64": the widest instruction set that this processor offers of those compiled in.
std::string instruction_set();
/// "AMD EPYC ..." as /proc/cpuinfo has it.
std::string processor_name();

namespace detail {
using RangeFunction = void (*)(void* context, std::int64_t begin, std::int64_t end, int thread);
void parallel_ranges(std::int64_t count, std::int64_t grain, RangeFunction function, void* context);
bool in_parallel_region();
}  // namespace detail

/// Calls f(begin, end) on contiguous parts of [0, count), on at most count / grain threads; the split depends only on
/// count, grain and threads(). An exception in a part is rethrown in the caller. Nested calls run on one thread.
template <class F>
void parallel_for(std::int64_t count, std::int64_t grain, F&& f) {
  if (count <= 0) return;
  if (count <= grain) return void(f(std::int64_t{0}, count));
  using Function = std::remove_reference_t<F>;
  detail::parallel_ranges(
      count, grain,
      [](void* context, std::int64_t begin, std::int64_t end, int) { (*static_cast<Function*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

/// The parts that parallel_for(count, grain, ...) makes: for reductions that combine one partial result a part.
int parallel_parts(std::int64_t count, std::int64_t grain);

/// Like parallel_for, with the number of the part (0 .. parallel_parts - 1): f(begin, end, part).
template <class F>
void parallel_for_parts(std::int64_t count, std::int64_t grain, F&& f) {
  if (count <= 0) return;
  if (count <= grain) return void(f(std::int64_t{0}, count, 0));
  using Function = std::remove_reference_t<F>;
  detail::parallel_ranges(
      count, grain,
      [](void* context, std::int64_t begin, std::int64_t end, int part) {
        (*static_cast<Function*>(context))(begin, end, part);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace tandem
