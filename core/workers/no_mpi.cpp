// This build has no MPI: a process is alone, and says so where mpirun has started several.
#include <tandem/core/workers/launched.h>
#include <tandem/core/workers/open_workers.h>

#include <tandem/core/error.h>

namespace tandem {

std::shared_ptr<Workers> open_workers() {
  const Part part = launched();
  if (part.count > 1) {
    fail("workers", "this build has no MPI", "mpirun has started " + std::to_string(part.count) + " processes",
         "install libopenmpi-dev and build anew, or start without mpirun");
  }
  return one_worker();
}

bool has_mpi() { return false; }

int rank_of_process() { return launched().index; }

}  // namespace tandem
