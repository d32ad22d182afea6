// How many threads compute, and the parallel loop that all kernels use (over OpenMP, hidden in threads.cpp).
// The number of threads never changes a result of random numbers; work below the grain runs on the caller alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>

namespace tandem {

/// Threads that compute; default: OMP_NUM_THREADS, at most the processors that this process may run on and, rounded up,
/// those that the quotas of its control groups amount to. Asking makes it the team of the calling thread, which is what
/// oneDNN and OpenBLAS go by: whoever calls them asks before.
int threads();
/// For calls from every thread. Throws Error when n < 1.
void set_threads(int n);

/// While it lives, threads() is 1 for the calling thread: for work of libraries that a second thread would slow down.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  bool before_;
};

/// "avx2", "avx512" or "x86-64": the widest instruction set that this processor offers of those compiled in.
std::string instruction_set();
/// "AMD EPYC ..." as /proc/cpuinfo has it.
std::string processor_name();

struct Parts;

namespace detail {
using RangeFunction = void (*)(void* context, std::int64_t begin, std::int64_t end, int part);
void parallel_ranges(const Parts& parts, RangeFunction function, void* context);
void parallel_ranges(std::int64_t count, std::int64_t grain, RangeFunction function, void* context);
bool in_parallel_region();
/// The processors that the control groups of a process leave it: the least quota / period, rounded up, of its groups
/// and those above them; 0 where there is no limit. `root` is /sys/fs/cgroup, `groups` the text of /proc/self/cgroup.
int cgroup_processors(const std::filesystem::path& root, const std::string& groups);
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

/// The parts that parallel_for(count, grain, ...) makes of a range, for reductions that combine one partial result a
/// part: what is sized by `number` fits the loop over them, whatever threads() has become meanwhile.
struct Parts {
  std::int64_t count = 0;
  int number = 1;
};
Parts parallel_parts(std::int64_t count, std::int64_t grain);

/// Calls f(begin, end, part) for part 0 .. parts.number - 1.
template <class F>
void parallel_for_parts(const Parts& parts, F&& f) {
  if (parts.count <= 0) return;
  if (parts.number == 1) return void(f(std::int64_t{0}, parts.count, 0));
  using Function = std::remove_reference_t<F>;
  detail::parallel_ranges(
      parts,
      [](void* context, std::int64_t begin, std::int64_t end, int part) {
        (*static_cast<Function*>(context))(begin, end, part);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace tandem
