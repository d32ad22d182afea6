// mpirun for tests of programs: several ranks on one machine, as root too.
#pragma once

#include <cstdlib>

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

}  // namespace tandem::test
