// Ranks: this process among those that mpirun has started. Rank 0 speaks and writes; the others compute. What one of
// them has to say alone comes with its number. Not here: sums over them (core/workers), what a run divides (run.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/workers/workers.h>
#include <tandem/data/dataset.h>
#include <tandem/data/image_source.h>

namespace tandem::train {

/// Opened by the first call; one worker where mpirun has started no others. Held until the process ends.
const std::shared_ptr<Workers>& workers();

/// Standard output of ranks other than 0 goes nowhere. Called before the first line.
void silence_other_ranks();

/// x <- sum of x over all ranks, for what an evaluation of a part counts: add_up(loss, correct, count).
template <class... Numbers>
void add_up(Numbers&... numbers) {
  double all[] = {static_cast<double>(numbers)...};
  workers()->sum(all, sizeof...(Numbers));
  int i = 0;
  ((numbers = static_cast<Numbers>(all[i++])), ...);
}

/// The part of a set that this rank evaluates. Throws Error when there are fewer images than ranks.
Dataset share(Dataset set);
std::shared_ptr<const ImageSource> share(std::shared_ptr<const ImageSource> source);
/// Whether this rank evaluates batch `number`: they take turns. For batches that have noise or lengths of their own.
bool is_turn(std::int64_t number);

/// Where no --threads is given: the processors, divided among the ranks of this machine.
int threads_of_rank();

/// "mpirun -n 4 " where there are four; empty with one.
std::string launch_command();

/// What one line says to go on with, after another rank has died; empty: there is nothing to go on from.
void set_way_back(const std::string& command);

/// Ends a process that fails, with `line` on standard error: each line once, however many ranks fail by the same.
void say_for_all(const std::exception& error, const std::string& line);

}  // namespace tandem::train
