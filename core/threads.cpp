// The team of threads, over OpenMP: the same runtime that oneDNN and OpenBLAS use. See threads.h.
// clang brings libomp, a second runtime beside oneDNN's libgomp, and ThreadSanitizer does not see into libgomp: both
// builds run Tandem's own loops on one thread.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <string>

#include <cblas.h>
#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>

#if defined(_OPENMP) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define TANDEM_OPENMP 1
#include <omp.h>
#else
#define TANDEM_OPENMP 0
#endif

namespace tandem {

namespace {

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

int initial_threads() {
  const int n = available_processors();
#if TANDEM_OPENMP
  // OMP_NUM_THREADS wins over the affinity mask, as in every OpenMP program.
  const int team = std::min(omp_get_max_threads(), n);
  omp_set_dynamic(0);
#else
  const int team = n;
#endif
  openblas_set_num_threads(team);
  return team;
}

std::atomic<int>& team_size() {
  static std::atomic<int> size{initial_threads()};
  return size;
}

thread_local bool inside_parallel = false;

}  // namespace

int threads() { return team_size().load(std::memory_order_relaxed); }

void set_threads(int n) {
  if (n < 1) fail("threads", "number must be at least 1", fmt::format("{} given", n));
  team_size().store(n);
#if TANDEM_OPENMP
  omp_set_num_threads(n);
#endif
  openblas_set_num_threads(n);
}

std::string instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return "avx512";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
#endif
  return "x86-64";
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown processor";
}

int parallel_parts(std::int64_t count, std::int64_t grain) {
  if (count <= grain || inside_parallel) return 1;
  return static_cast<int>(std::min<std::int64_t>(threads(), (count + grain - 1) / std::max<std::int64_t>(grain, 1)));
}

namespace detail {

bool in_parallel_region() { return inside_parallel; }

void parallel_ranges(std::int64_t count, std::int64_t grain, RangeFunction function, void* context) {
  const int parts = parallel_parts(count, grain);
  if (parts == 1) return function(context, 0, count, 0);
  std::exception_ptr failure;
  auto run = [&](int part) {
    inside_parallel = true;
    try {
      function(context, count * part / parts, count * (part + 1) / parts, part);
    } catch (...) {
#if TANDEM_OPENMP
#pragma omp critical(tandem_parallel_failure)
#endif
      failure = std::current_exception();
    }
    inside_parallel = false;
  };
#if TANDEM_OPENMP
  // Always the whole team: a region of another size would make libgomp rebuild its pool.
#pragma omp parallel num_threads(threads())
  {
    const int thread = omp_get_thread_num();
    for (int part = thread; part < parts; part += omp_get_num_threads()) run(part);
  }
#else
  for (int part = 0; part < parts; ++part) run(part);
#endif
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace tandem
