// open_workers: the processes that `mpirun -n 4 PROGRAM` has started, over MPI. Built without MPI, or started without
// mpirun, a program is one worker. One thread of each process does all that is MPI's, so that sums go on while the
// others compute. Library: tandem::workers, part of tandem::tandem. Read next: workers.h.
#pragma once

#include <memory>

#include <tandem/core/workers/workers.h>

namespace tandem {

/// The workers of this process, the same in every call while somebody holds them; afterwards there are none again.
/// Throws Error when mpirun has started several and this build has no MPI.
std::shared_ptr<Workers> open_workers();

/// Whether this build has MPI.
bool has_mpi();

/// The number of this process among those of mpirun, from 0, without opening them.
int rank_of_process();

}  // namespace tandem
