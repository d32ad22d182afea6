// What a comparison says at the beginning, and of a profile at the end.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <set>

#include <tandem/core/io/file.h>
#include <tandem/core/versions.h>
#include <tandem/report/profile.h>

#include "comparison.h"
#include "profile_log.h"

namespace tandem::train {
namespace {

std::string threads_text(int threads) { return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"); }

}  // namespace

void Comparison::print_start() const {
  const std::int64_t parameters = manifest_.parameters;
  fmt::print("data       {}\n", manifest_.experiment.data);
  fmt::print("model      {}{}\n", manifest_.experiment.model,
             parameters > 0 ? fmt::format(": {} parameters", with_commas(parameters)) : "");
  std::set<std::string> shown;
  for (std::size_t i = 0; i < manifest_.planned.size(); ++i)
    if (shown.insert(rules_[i].describe()).second) fmt::print("optimizer  {}\n", rules_[i].describe());
  if (!options_.fork.empty()) fmt::print("fork       {}\n", options_.fork);
  fmt::print("seed       {}\n", fmt::join(options_.seeds, ", "));
  if (manifest_.ranks > 1) fmt::print("ranks      {}, each with a part of every batch\n", manifest_.ranks);
  fmt::print("precision  {}, {}, {} ({})\n", options_.precision, threads_text(manifest_.threads), instruction_set(),
             processor_name());
  fmt::print("run        {}\n", path_.string());
  std::fflush(stdout);
}

/// The first run's as a table; of the others where it is.
void Comparison::print_profile() const {
  bool is_first = true;
  for (const PlannedRun& run : manifest_.planned) {
    const std::filesystem::path file = path_ / run.name / kProfileFile;
    if (!std::filesystem::exists(file)) continue;
    if (is_first) {
      fmt::print("\nprofile    {}\n\n{}\n", run.name, report::profile_text(read_file(file), file.string()));
      fmt::print("written: {} and {}, which https://ui.perfetto.dev opens\n", file.string(), kTraceFile);
    } else {
      fmt::print("written: {} and {}, of {}\n", file.string(), kTraceFile, run.name);
    }
    is_first = false;
  }
}

}  // namespace tandem::train
