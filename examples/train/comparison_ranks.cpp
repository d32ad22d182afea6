// A comparison that is divided among ranks: what is checked before the first step, and where those other than rank 0
// let their logs fall.
#include "comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <tandem/core/error.h>

#include "ranks.h"

namespace tandem::train {
namespace {

/// Removes the scratch folders of this user's ranks that were killed: tandem-rankR-PROCESS.
void remove_abandoned() {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    int rank = 0, process = 0;
    struct stat folder = {};
    if (std::sscanf(name.c_str(), "tandem-rank%d-%d", &rank, &process) != 2 || process <= 0) continue;
    if (::lstat(entry.path().c_str(), &folder) != 0 || !S_ISDIR(folder.st_mode) || folder.st_uid != ::geteuid())
      continue;
    if (::kill(process, 0) != 0 && errno == ESRCH) std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

bool Comparison::is_other_rank() const { return workers()->rank() > 0; }

/// What can be seen to go wrong before the first step.
void Comparison::check_ranks(const Experiment& experiment) const {
  Workers& all = *workers();
  if (all.size() == 1) return;
  std::string options;
  for (const auto& [name, value] : line_.resolved()) options += fmt::format("--{}={} ", name, value);
  for (const std::string& spec : options_.optimizers) options += fmt::format("--optimizer={} ", spec);
  options += fmt::format("--seed={}", fmt::join(options_.seeds, ","));
  all.require_same("command line", options, "give all the same");
  all.require_same("checksum of the training set", experiment.data_checksum, "--data says where it lies");
  if (options_.batch % all.size() != 0)
    fail_usage("--batch", fmt::format("is {}, which {} ranks do not divide", options_.batch, all.size()), {},
               fmt::format("take a multiple of {}", all.size()));
  if (options_.jobs > 1) fail_usage("--jobs", "is for one rank", fmt::format("{} ranks", all.size()), "leave it out");
  if (options_.find_lr)
    fail_usage("--find-lr", "is for one rank", fmt::format("{} ranks", all.size()), "start without mpirun");
  if (options_.instruments > 0)
    fail_usage("--instruments", "is for one rank", fmt::format("{} ranks", all.size()), "leave it out");
}

void Comparison::check_resumed_ranks(int before) const {
  if (before == manifest_.ranks) return;
  fail_usage("--resume", "the run has another number of ranks",
             fmt::format("it began with {}, here {} {}", before, manifest_.ranks == 1 ? "is" : "are", manifest_.ranks),
             before > 1 ? fmt::format("start with mpirun -n {}", before) : "start without mpirun");
}

/// Where a rank that writes nothing lets its logs fall; gone when it ends, or with the next one after it was killed.
void Comparison::open_scratch() {
  remove_abandoned();
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("tandem-rank{}-{}", workers()->rank(), ::getpid());
  folder_ = std::make_unique<RunFolder>(RunFolder::create(path, true, line_.executable()));
  if (!options_.resume.empty()) write_manifest(path, manifest_);  // what lies there is known by it
}

}  // namespace tandem::train
