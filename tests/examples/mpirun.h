// mpirun for tests of programs: several ranks on one machine, as root too.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace tandem::test {

inline constexpr const char* kMpirun = TANDEM_MPIRUN;  // empty in a build without MPI

/// Sets what several ranks on few processors want of OpenMPI; false in a build without MPI.
inline bool has_mpi() {
  for (const char* system : {"OMPI", "PRTE"}) {  // OpenMPI 4 and 5
    ::setenv(fmt::format("{}_ALLOW_RUN_AS_ROOT", system).c_str(), "1", 1);
    ::setenv(fmt::format("{}_ALLOW_RUN_AS_ROOT_CONFIRM", system).c_str(), "1", 1);
  }
  ::setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
  ::setenv("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe", 1);
  ::setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
  return *kMpirun != '\0';
}

/// The last line that a rank has said, after its progress: what mpirun adds of its own stands between lines of dashes
/// (OpenMPI 4 leaves it out with -q, which 5 does not know), warnings of its libraries begin with [HOST][.
inline std::string last_line_of_ranks(const std::string& error) {
  std::string last;
  bool is_box = false;
  std::istringstream lines(error);
  for (std::string line; std::getline(lines, line);) {
    const bool is_dashes = line.starts_with("--------");
    is_box = is_box != is_dashes;
    if (!is_dashes && !is_box && !line.empty() && !(line.starts_with("[") && line.find("][") != line.npos)) last = line;
  }
  const std::string clear = "\r\x1b[K";  // OpenMPI 5 gives ranks a terminal
  const std::size_t progress = last.rfind(clear);
  return progress == last.npos ? last : last.substr(progress + clear.size());
}

}  // namespace tandem::test
