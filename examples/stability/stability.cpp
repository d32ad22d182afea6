// stability: on-average model stability of SGD and Lookahead (Li & Lei 2025): trainings on a set and on its neighbours,
// which differ in one example, from the same initial weights on the same batch indices; distance and generalization gap
// against batch size, number of examples, k, alpha and steps.
//   stability --problem least_squares --repetitions 100
// Read next: simulate.h, what is measured; plan.h, the cells; findings.h, what follows.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/train/arguments.h>
#include <tandem/train/program.h>

#include "page.h"

using namespace tandem;
using namespace tandem::stability;

namespace {

struct Call {
  Record record;
  int threads = 0;
  std::filesystem::path out, resume;
  bool is_overwriting = false, is_quiet = false;
  std::string executable;
};

/// False when --help was asked for and has been printed.
bool parse(int argc, char** argv, Call& call) {
  Settings& s = call.record.settings;
  CLI::App app("Measures what one example changes: on-average model stability of SGD and Lookahead.", "stability");
  app.option_defaults()->always_capture_default();
  app.add_option("--problem", s.problems, "least_squares, logistic, ridge, network; default: all")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--repetitions", s.repetitions, "Data sets, each with its own batches")->type_name("N");
  app.add_option("--neighbours", s.neighbours, "Neighbours of a data set, at most, spread over it")->type_name("N");
  app.add_option("--n", s.n, "Examples of the base")->type_name("N");
  app.add_option("--batch", s.batch, "Batch of the base: 1, 2, 4, 8, 16 or 32")->type_name("N");
  app.add_option("--k", s.k, "Steps of a cycle")->type_name("N");
  app.add_option("--alpha", s.alpha, "The pull; lr of the control")->type_name("X");
  app.add_option("--steps", s.steps, "Steps of the base")->type_name("N");
  app.add_option("--seed", s.seed, "Seed of all data sets and batches")->type_name("N")->check(train::not_negative());
  app.add_option("--threads", call.threads, "Threads that compute; 0: one a processor")->type_name("N");
  app.add_option("--out", call.out, "Folder of the result; default: runs/stability-TIME")->type_name("DIR");
  app.add_option("--resume", call.resume, "Go on with the cells of this result that are not measured")
      ->type_name("DIR");
  app.add_flag("--overwrite", call.is_overwriting, "Replace the result that lies in --out");
  app.add_flag("--quiet", call.is_quiet, "No progress");
  if (!train::parse_arguments(app, argc, argv)) return false;
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (!call.resume.empty() && option->count() > 0 && name != "--resume" && name != "--threads" && name != "--quiet")
      fail_usage(name, "a result goes on as it was begun", {}, "leave it out");
  }
  if (s.problems.empty())
    for (const Problem& problem : problems()) s.problems.push_back(problem.name);
  for (const std::string& name : s.problems) find_problem(name);
  train::check_range("--repetitions", s.repetitions, 2, 100'000);
  train::check_range("--neighbours", s.neighbours, 1, 100'000);
  train::check_range("--n", s.n, 2, 1'000'000);
  if (s.batch < 1 || s.batch > 32 || (s.batch & (s.batch - 1)) != 0)
    fail_usage("--batch", fmt::format("is {}, must be 1, 2, 4, 8, 16 or 32", s.batch));
  train::check_range("--k", s.k, 1, 100'000);
  train::check_range("--alpha", s.alpha, 0.001, 1);
  train::check_range("--steps", s.steps, 1, 10'000'000);
  train::check_range("--threads", call.threads, 0, 1024);
  call.executable = train::shell_quoted(argv[0]);
  call.record.command = train::command_text(argc, argv);
  return true;
}

/// Repetitions are shared between threads, each into its own place.
void measure(Cell& cell, const Settings& s) {
  std::vector<std::vector<Outcome>> outcomes(static_cast<std::size_t>(s.repetitions));
  const Problem& problem = find_problem(cell.problem);
  parallel_for(s.repetitions, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r)
      outcomes[static_cast<std::size_t>(r)] =
          simulate(problem, cell.training, s.neighbours, s.seed, static_cast<int>(r));
  });
  cell.outcomes = std::move(outcomes);
}

int run(Call& call) {
  if (call.threads > 0) set_threads(call.threads);
  const train::InterruptGuard interrupts;
  train::RunFolder folder = call.resume.empty()
                                ? train::claim_result(call.out, kResult, call.is_overwriting, call.executable)
                                : train::open_result(call.resume, kResult);
  if (!call.resume.empty()) call.record = read_settings(folder.path());
  const Settings& s = call.record.settings;
  std::vector<Cell> cells = plan(s);
  std::int64_t kept = 0;
  if (call.resume.empty()) {
    std::error_code ignored;
    std::filesystem::remove(cells_path(folder.path()), ignored);
    write_settings(folder.path(), call.record);
    LogFile begun(cells_path(folder.path()));
  } else {
    kept = read_cells(folder.path(), cells);
  }
  folder.keep();
  LogFile log(cells_path(folder.path()), kept);
  fmt::print("{} cells, {} repetitions, seed {}, {} thread{}, f64, {} ({})\n", cells.size(), s.repetitions, s.seed,
             threads(), threads() == 1 ? "" : "s", instruction_set(), processor_name());
  const auto begin = std::chrono::steady_clock::now();
  std::size_t number = 0;
  for (Cell& cell : cells) {
    ++number;
    if (!cell.outcomes.empty()) continue;
    measure(cell, s);
    log.append(cell_line(cell));
    if (!call.is_quiet && number % 20 == 0) fmt::print("{} of {} cells\n", number, cells.size());
    std::fflush(stdout);
    if (train::interrupt_signal() != 0 && number < cells.size())
      throw train::Interrupted(fmt::format("interrupted after {} of {} cells, saved; go on with: {} --resume {}",
                                           number, cells.size(), call.executable,
                                           train::shell_quoted(folder.path().string())));
  }
  call.record.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{}\n", tables_text(cells, s));
  write_result(folder.path(), call.record, cells);
  fmt::print("written in {:.0f} s: {}/report.html, stability.json, cells.jsonl, curves.csv\n", call.record.seconds,
             folder.path().string());
  return train::kExitDone;
}

}  // namespace

int main(int argc, char** argv) try {
  Call call;
  if (!parse(argc, argv, call)) return train::kExitDone;
  return run(call);
} catch (...) {
  return train::end_by_exception();
}
