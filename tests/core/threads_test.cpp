// The team of threads: the same for calls from every thread, within what the system gives a process.
#include <doctest/doctest.h>

#include <dlfcn.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>
#include <tests/core/temporary_folder.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

/// What OpenMP, and so oneDNN and OpenBLAS, would take in the calling thread; 0 where its runtime is not Tandem's.
int openmp_threads() {
#if defined(__clang__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  using Function = int (*)();
  const auto most = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  return most == nullptr ? 0 : most();
#endif
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  ::pclose(pipe);
  return text;
}

}  // namespace

TEST_CASE("while a OneThread lives, its thread computes alone, and afterwards with the team") {
  const int before = threads();
  set_threads(3);
  {
    const OneThread alone;
    CHECK(threads() == 1);
    CHECK(parallel_parts(1000, 1).number == 1);
    if (openmp_threads() != 0) CHECK(openmp_threads() == 1);
    {
      const OneThread inner;
      CHECK(threads() == 1);
    }
    CHECK(threads() == 1);
    int others = 0;
    std::thread([&] { others = threads(); }).join();
    CHECK(others == 3);
  }
  CHECK(threads() == 3);
  if (openmp_threads() != 0) CHECK(openmp_threads() == 3);
  set_threads(before);
}

TEST_CASE("set_threads holds for calls from every thread") {
  const int before = threads();
  for (const int n : {1, 3, before}) {
    set_threads(n);
    CHECK(threads() == n);
    int seen = 0, openmp = 0;
    std::thread([&] {
      seen = threads();
      openmp = openmp_threads();
    }).join();
    CHECK(seen == n);
    if (openmp_threads() != 0) {
      CHECK(openmp_threads() == n);
      CHECK(openmp == n);
    }
  }
}

TEST_CASE("a thread that lives through a change follows it") {
  if (openmp_threads() == 0) {
    MESSAGE("SKIPPED: OpenMP's runtime is another than Tandem's");
    return;
  }
  const int before = threads();
  threads();
  std::thread([] { set_threads(5); }).join();
  CHECK(threads() == 5);
  CHECK(openmp_threads() == 5);
  set_threads(before);
}

TEST_CASE("parts that were counted before a change still fit their loop") {
  const int before = threads();
  set_threads(2);
  const Parts parts = parallel_parts(1000, 1);
  CHECK(parts.number == 2);
  set_threads(7);
  std::array<std::int64_t, 2> sums{};
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    sums.at(static_cast<std::size_t>(part)) += end - begin;
  });
  CHECK(sums[0] + sums[1] == 1000);
  set_threads(before);
}

TEST_CASE("prints the teams" * doctest::skip()) {  // run by the next one, in a process of its own
  const int team = threads();
  std::printf("teams %d %d\n", team, openmp_threads());
}

TEST_CASE("OMP_NUM_THREADS is bounded by the processors of the process, for OpenMP too") {
  if (openmp_threads() == 0) {
    MESSAGE("SKIPPED: OpenMP's runtime is another than Tandem's");
    return;
  }
  const std::string child = "/proc/" + std::to_string(::getpid()) + "/exe --no-skip --test-case='prints the teams'";
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  const std::string many = output_of("OMP_NUM_THREADS=" + std::to_string(processors + 6) + " " + child);
  int team = 0, openmp = 0;
  REQUIRE(std::sscanf(many.c_str() + many.find("teams"), "teams %d %d", &team, &openmp) == 2);
  CHECK(team <= processors);
  CHECK(openmp == team);
  CHECK(output_of("OMP_NUM_THREADS=1 " + child).find("teams 1 1\n") != std::string::npos);
}

TEST_CASE("quotas of control groups limit the team") {
  const test::TemporaryFolder folder;
  const auto root = folder.path();
  const auto write = [&](const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  const auto processors = [&](const std::string& groups) { return detail::cgroup_processors(root, groups); };
  CHECK(processors("0::/a/b\n") == 0);
  write("a/b/cpu.max", "max 100000\n");
  CHECK(processors("0::/a/b\n") == 0);
  write("a/b/cpu.max", "150000 100000\n");
  CHECK(processors("0::/a/b\n") == 2);
  CHECK(processors("0::/elsewhere\n") == 0);
  write("a/cpu.max", "100000 100000\n");  // of the group above
  CHECK(processors("0::/a/b\n") == 1);
  write("cpu.max", "50000 100000\n");  // as a container sees its own
  CHECK(processors("0::/../../x\n") == 1);
  write("cpu/c/cpu.cfs_quota_us", "-1\n");
  write("cpu/c/cpu.cfs_period_us", "100000\n");
  CHECK(processors("4:cpu,cpuacct:/c\n") == 0);
  write("cpu/c/cpu.cfs_quota_us", "250000\n");
  CHECK(processors("9:name=systemd:/\n4:cpu,cpuacct:/c\n") == 3);
  CHECK(processors("4:cpuset:/c\nnonsense\n:\n") == 0);
}
