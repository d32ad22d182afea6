// The team of threads, over OpenMP: the same runtime that oneDNN and OpenBLAS use. See threads.h.
// clang brings libomp, a second runtime beside oneDNN's libgomp, and ThreadSanitizer does not see into libgomp: both
// builds run Tandem's own loops on one thread.
//
// OpenMP keeps the size of a team in each thread. The size that all should have is one number here, and a thread takes
// it over when it asks, outside of regions.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <cblas.h>
#include <fmt/format.h>

#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/core/waiting.h>

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
  int team = available_processors();
  std::ifstream file("/proc/self/cgroup");
  const std::string groups{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (const int quota = detail::cgroup_processors("/sys/fs/cgroup", groups); quota > 0) team = std::min(team, quota);
    // OMP_NUM_THREADS may ask for fewer. More would share processors, and OpenMP's threads wait by spinning.
#if TANDEM_OPENMP
  team = std::min(team, omp_get_max_threads());
  omp_set_dynamic(0);
#else
  team = std::min(team, std::max(1, openblas_get_num_threads()));  // of the libraries' runtime
#endif
  openblas_set_num_threads(team);
  return team;
}

/// quota / period, rounded up; 0 where the text is not two positive numbers ("max 100000", -1).
int processors_of(double quota, double period) {
  return quota > 0 && period > 0 ? static_cast<int>(std::min(std::ceil(quota / period), 1e6)) : 0;
}

std::atomic<int>& team_size() {
  static std::atomic<int> size{initial_threads()};
  return size;
}

thread_local bool inside_parallel = false;
thread_local bool is_alone = false;  // a OneThread lives
thread_local int own_team = 0;       // what OpenMP has for this thread

}  // namespace

int threads() {
  if (!inside_parallel && !is_alone) detail::notice_neighbours();
  const int team = is_alone ? 1 : team_size().load(std::memory_order_relaxed);
  if (team != own_team && !inside_parallel) {
#if TANDEM_OPENMP
    omp_set_num_threads(team);
#endif
    own_team = team;
  }
  return team;
}

void set_threads(int n) {
  if (n < 1) fail("threads", "number must be at least 1", fmt::format("{} given", n));
  team_size().store(n);
  capture::grow_older();
  openblas_set_num_threads(n);  // of the libraries' own team; the calling threads' follow in threads()
  threads();
}

OneThread::OneThread() : before_(is_alone) { is_alone = true; }
OneThread::~OneThread() {
  is_alone = before_;
  threads();
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

Parts parallel_parts(std::int64_t count, std::int64_t grain) {
  if (count <= grain || inside_parallel) return {count, 1};
  const std::int64_t pieces = (count - 1) / std::max<std::int64_t>(grain, 1) + 1;
  return {count, static_cast<int>(std::min<std::int64_t>(threads(), pieces))};
}

namespace detail {

bool in_parallel_region() { return inside_parallel; }

int cgroup_processors(const std::filesystem::path& root, const std::string& groups) {
  int least = 0;
  const auto take = [&](int processors) {
    if (processors > 0) least = least == 0 ? processors : std::min(least, processors);
  };
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:/path
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    const bool is_unified = controllers == ",,", is_cpu = controllers.find(",cpu,") != std::string::npos;
    if (!is_unified && !is_cpu) continue;
    const std::filesystem::path base = is_unified ? root : root / "cpu";
    // Inside a container the path may be that of the host: the root itself is looked at in any case.
    for (std::filesystem::path group = std::filesystem::path(line.substr(second + 1)).relative_path();;
         group = group.parent_path()) {
      double quota = 0, period = 0;
      if (is_unified) {
        std::ifstream(base / group / "cpu.max") >> quota >> period;
      } else {
        std::ifstream(base / group / "cpu.cfs_quota_us") >> quota;
        std::ifstream(base / group / "cpu.cfs_period_us") >> period;
      }
      take(processors_of(quota, period));
      if (group.empty()) break;
    }
  }
  return least;
}

namespace {

/// count * part / parts, without the overflow of its product.
std::int64_t begin_of(std::int64_t count, int part, int parts) {
  return count / parts * part + count % parts * part / parts;
}

}  // namespace

void parallel_ranges(std::int64_t count, std::int64_t grain, RangeFunction function, void* context) {
  parallel_ranges(parallel_parts(count, grain), function, context);
}

void parallel_ranges(const Parts& all, RangeFunction function, void* context) {
  const std::int64_t count = all.count;
  const int parts = all.number;
  if (parts == 1) return function(context, 0, count, 0);
  if (inside_parallel) {
    for (int part = 0; part < parts; ++part)
      function(context, begin_of(count, part, parts), begin_of(count, part + 1, parts), part);
    return;
  }
  std::exception_ptr failure;
  auto run = [&](int part) {
    inside_parallel = true;
    try {
      function(context, begin_of(count, part, parts), begin_of(count, part + 1, parts), part);
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
