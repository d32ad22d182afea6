// How long a step takes when N machines train together, from what a step costs on one of them and what a network can:
// a simulation on paper, in which each machine's steps are as uneven as those that were measured.
//
//   averaged     every step: backward, then one all-reduce of all gradients, then the update
//   overlapped   the same in pieces, each begun when backward has filled it on all machines and the one before is
//   through loop         k steps of each machine for itself, then one all-reduce of the weights
//
// Not here: measuring (workers.cpp), and how well each way learns (examples/RESULTS.md).
#pragma once

#include <cstdint>
#include <vector>

namespace workers {

/// A piece of the gradients, and when backward has filled it, in seconds from its beginning.
struct Piece {
  double ready = 0;
  double bytes = 0;
};

/// A step of one machine, in seconds.
struct StepCosts {
  double forward = 0, backward = 0, update = 0;
  std::vector<Piece> pieces;   ///< in the order in which they are filled
  std::vector<double> uneven;  ///< measured steps by their mean: what a step is multiplied by; empty: all alike

  double seconds() const { return forward + backward + update; }
  double bytes() const;
};

struct Network {
  double latency = 0;           ///< seconds, of a message
  double bytes_per_second = 1;  ///< of a machine, in each direction
};

/// A ring all-reduce (Patarasuk & Yuan 2009) among n machines, in seconds:
///   2 (n - 1) latency + 2 (n - 1) / n bytes / bytes_per_second
double all_reduce_seconds(double bytes, int n, const Network& network);

enum class Way { averaged, overlapped, loop };

/// The mean of a step over `steps` steps of n machines; k: of Way::loop. Equal seeds give equal numbers.
double step_seconds(const StepCosts& costs, int n, const Network& network, Way way, std::int64_t k = 1,
                    std::int64_t steps = 600, std::uint64_t seed = 0);

}  // namespace workers
