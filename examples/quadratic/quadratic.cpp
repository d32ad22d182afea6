// quadratic: the two quadratics on which Lookahead can be computed, formula beside measurement (Zhang, Lucas, Hinton,
// Ba 2019, sections 3.1 and 3.2): steady-state variance, convergence at equal final loss, rates of the heavy ball,
// and alpha chosen at every sync.
//   quadratic --out runs/quadratic
// Read next: experiments.cpp, the settings; measure.cpp, the measuring.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/train/arguments.h>
#include <tandem/train/program.h>

#include "files.h"
#include "tables.h"

using namespace tandem;

namespace {

struct Settings {
  quadratic::Effort effort;
  int threads = 0;
  std::filesystem::path out;
  bool is_overwriting = false, is_quiet = false;
  std::string executable, command;
};

/// False when --help was asked for and has been printed.
bool parse(int argc, char** argv, Settings& s) {
  CLI::App app("Measures Lookahead on quadratics and holds it against the formulas.", "quadratic");
  app.option_defaults()->always_capture_default();
  app.add_option("--copies", s.effort.copies, "Independent copies of the weights that are averaged")->type_name("N");
  app.add_option("--rate-steps", s.effort.rate_steps, "Steps, at most, to measure a rate")->type_name("N");
  app.add_option("--seed", s.effort.seed, "Seed of the noise")->type_name("N")->check(train::not_negative());
  app.add_option("--threads", s.threads, "Threads that compute; 0: one a processor")->type_name("N");
  app.add_option("--out", s.out, "Run folder; default: runs/quadratic-TIME")->type_name("DIR");
  app.add_flag("--overwrite", s.is_overwriting, "Replace the result that lies in --out");
  app.add_flag("--quiet", s.is_quiet, "No progress");
  if (!train::parse_arguments(app, argc, argv)) return false;
  train::check_range("--copies", s.effort.copies, 64, 1 << 24);
  train::check_range("--rate-steps", s.effort.rate_steps, 200, 10'000'000);
  train::check_range("--threads", s.threads, 0, 1024);
  s.executable = train::shell_quoted(argv[0]);
  s.command = train::command_text(argc, argv);
  return true;
}

/// A line on standard output, unless quiet.
void tell(const Settings& s, const std::string& line) {
  if (s.is_quiet) return;
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void print(const std::string& table) {
  fmt::print("\n{}\n", table);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  Settings s;
  if (!parse(argc, argv, s)) return train::kExitDone;
  if (s.threads > 0) set_threads(s.threads);
  const train::InterruptGuard interrupts;
  train::RunFolder folder = train::claim_result(s.out, quadratic::kResult, s.is_overwriting, s.executable);
  fmt::print("seed {}, {} copies, f32 with noise and f64 without, {} thread{}, {} ({})\n", s.effort.seed,
             s.effort.copies, threads(), threads() == 1 ? "" : "s", instruction_set(), processor_name());

  const auto begin = std::chrono::steady_clock::now();
  quadratic::Findings found;
  found.command = s.command;
  found.effort = s.effort;
  found.threads = threads();
  tell(s, "measuring steady-state variances ...");
  found.variance = quadratic::run_variance(s.effort);
  print(quadratic::variance_table(found.variance));
  tell(s, "measuring descents to equal final losses ...");
  found.convergence = quadratic::run_convergence(s.effort);
  print(quadratic::convergence_table(found.convergence));
  tell(s, "measuring rates ...");
  found.rates = quadratic::run_rates(s.effort);
  print(quadratic::rate_tables(found.rates));

  tell(s, "measuring adaptive alpha ...");
  found.adaptive = quadratic::run_adaptive(std::max<std::int64_t>(8, s.effort.copies / 256), s.effort.seed);
  print(quadratic::adaptive_table(found.adaptive));

  found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  quadratic::write_findings(folder.path(), found);
  folder.keep();
  fmt::print(
      "written in {:.0f} s: {}/report.html, quadratic.json, variance.csv, convergence.csv, rates.csv, adaptive.csv\n",
      found.seconds, folder.path().string());
  return train::kExitDone;
} catch (...) {
  return train::end_by_exception();
}
