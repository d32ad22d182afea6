// How the threads of the OpenMP team wait for each other. On a quiet machine they spin, up to libgomp's 3 ms: a thread
// that is awake begins at once. Where others want the processors, a thread that spins takes the time that the one it
// waits for needs: then they sleep after some microseconds. Bits do not depend on it.
//
// libgomp reads how long to spin from the environment before main begins, and has no call that sets it. But it does not
// spin where more of its threads live than there are processors: so idle ones are made, beyond the processors, and
// ended again. Where GOMP_SPINCOUNT or OMP_WAIT_POLICY says how to wait, nothing is done. Measured: README.md. Private
// to core. Not here: the parallel loop (threads.h).
#pragma once

namespace tandem::detail {

/// Looks whether other processes take processors from this one, four times a second at most, and goes over to sleeping,
/// or back to spinning. Called before parallel work.
void notice_neighbours();

/// Whether threads sleep while they wait.
bool is_sleeping_wait();
/// Goes over at once; the next look may go back. False where the environment says how to wait, and in builds without
/// libgomp.
bool set_sleeping_wait(bool on);

}  // namespace tandem::detail
