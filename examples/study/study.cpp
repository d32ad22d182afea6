// The program: command line, trials, results. See study.h.
#include "study.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/metrics.h>
#include <tandem/train/arguments.h>
#include <tandem/train/program.h>

#include "page.h"
#include "study_folder.h"
#include "tasks.h"
#include "workers.h"

namespace tandem::study {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> rules, own, tasks;
  std::vector<std::uint64_t> seeds = {0, 1, 2};
  int trials = 12, jobs = 1;
  std::uint64_t seed = 0;
  double scale = 1, minutes = 0;
  fs::path out, resume;
  bool is_overwriting = false, is_quiet = false, has_settings = false;
  std::string executable, command;
};

/// False when --help was asked for and has been printed.
bool parse(int argc, char** argv, Arguments& a) {
  CLI::App app("Tries every rule on small tasks, as it comes and with a tuned learning rate.", "study");
  app.option_defaults()->always_capture_default();
  std::vector<CLI::Option*> settings = {
      app.add_option("--rules", a.rules, "Only these of the registered rules")->type_name("NAME")->delimiter(','),
      app.add_option("--rule", a.own, "A rule that takes part too; several times")->type_name("NAME=SPEC"),
      app.add_option("--tasks", a.tasks, "Only these tasks")->type_name("NAME")->delimiter(','),
      app.add_option("--trials", a.trials, "Learning rates that are tried, the default first")->type_name("N"),
      app.add_option("--seed", a.seeds, "Seed of a reported training; several times")
          ->type_name("N")
          ->check(train::not_negative()),
      app.add_option("--tuning-seed", a.seed, "Seed of the learning rates that are tried")
          ->type_name("N")
          ->check(train::not_negative()),
      app.add_option("--scale", a.scale, "Steps, as a part of those of the whole study")->type_name("X"),
      app.add_option("--minutes", a.minutes,
                     "Choose --scale so that it takes about so long, if the machine stays as it is now; 0: leave it")
          ->type_name("X")};
  app.add_option("--jobs", a.jobs, "Trials at a time, one thread each")->type_name("N");
  app.add_option("--out", a.out, "Folder of the study; default: runs/study-TIME")->type_name("DIR");
  app.add_option("--resume", a.resume, "Go on with the study that lies there")->type_name("DIR");
  app.add_flag("--overwrite", a.is_overwriting, "Replace the study that lies in --out");
  app.add_flag("--quiet", a.is_quiet, "No progress");
  if (!train::parse_arguments(app, argc, argv)) return false;
  train::check_range("--trials", a.trials, 1, 1000);
  train::check_range("--jobs", a.jobs, 1, 1024);
  train::check_range("--scale", a.scale, 0.001, 1000);
  train::check_range("--minutes", a.minutes, 0, 1e6);
  if (a.seeds.empty()) a.seeds = {0, 1, 2};
  for (const std::uint64_t seed : a.seeds)
    if (seed == kTuningSeed) fail_usage("--seed", fmt::format("{} is the seed that tuning uses", seed));
  if (std::set<std::uint64_t>(a.seeds.begin(), a.seeds.end()).size() != a.seeds.size())
    fail_usage("--seed", "is given twice", fmt::format("{}", fmt::join(a.seeds, ", ")));
  a.has_settings = std::any_of(settings.begin(), settings.end(), [](const CLI::Option* o) { return o->count() > 0; });
  if (!a.resume.empty() && (a.has_settings || !a.out.empty() || a.is_overwriting))
    fail_usage("--resume", "takes what the study has", {}, "only --jobs and --quiet may stand beside it");
  a.executable = train::shell_quoted(argv[0]);
  a.command = train::command_text(argc, argv);
  return true;
}

[[noreturn]] void fail_unknown(const char* option, const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest_word(word, known.data(), known.size());
  fail_usage(option, fmt::format("\"{}\" is not known", word), fmt::format("known: {}", fmt::join(known, ", ")),
             near.empty() ? "" : fmt::format("did you mean {}?", near));
}

/// Those of `all` that `wanted` names; all where it names none.
template <class T, class NameOf>
std::vector<T> chosen(const char* option, const std::vector<T>& all, const std::vector<std::string>& wanted,
                      NameOf name_of) {
  if (wanted.empty()) return all;
  std::vector<std::string> known;
  for (const T& each : all) known.push_back(name_of(each));
  for (const std::string& word : wanted)
    if (std::find(known.begin(), known.end(), word) == known.end()) fail_unknown(option, word, known);
  std::vector<T> some;
  for (const T& each : all)
    if (std::find(wanted.begin(), wanted.end(), name_of(each)) != wanted.end()) some.push_back(each);
  return some;
}

Settings settings_of(const Arguments& a) {
  Settings s{.trials = a.trials, .seeds = a.seeds, .seed = a.seed, .scale = a.scale};
  for (const Task& task : chosen("--tasks", all_tasks(), a.tasks, [](const Task& t) { return t.name; }))
    s.tasks.push_back(task.name);
  std::vector<std::string> left_out;
  s.contestants =
      chosen("--rules", registered_contestants(left_out), a.rules, [](const Contestant& c) { return c.name; });
  for (const std::string& why : left_out) warn(fmt::format("study: a rule takes no part: {}", why));
  for (const std::string& text : a.own) {
    const Contestant own = own_contestant(text);
    for (const Contestant& other : s.contestants)
      if (other.name == own.name) fail_usage("--rule", fmt::format("the name \"{}\" is taken", own.name), other.spec);
    s.contestants.push_back(own);
  }
  if (a.minutes > 0) {
    constexpr double kSecondsPerMinute = 60, kLeast = 0.02;
    const double scale = a.minutes * kSecondsPerMinute / std::max(1e-3, estimated_seconds(s, a.jobs));
    s.scale = std::stod(fmt::format("{:.2g}", std::clamp(scale, kLeast, 1.0)));
  }
  return s;
}

void print_start(const Settings& s, const Arguments& a) {
  for (const Task& task : all_tasks())
    if (std::find(s.tasks.begin(), s.tasks.end(), task.name) != s.tasks.end())
      fmt::print("task       {}: {}; {} steps\n", task.name, task.about, steps_of(task, s.scale));
  fmt::print("rules      {}\n", s.contestants.size());
  fmt::print("trials     {} of each rule on each task to choose its rate, then seeds {}; {} trainings at the most\n",
             s.trials, fmt::join(s.seeds, ", "),
             s.contestants.size() * s.tasks.size() * (static_cast<std::size_t>(s.trials) + 2 * s.seeds.size()));
  fmt::print("scale      {}{}\n", s.scale, a.minutes > 0 ? fmt::format(", for {:g} minutes", a.minutes) : "");
  fmt::print("precision  f32, {} job{} of one thread, {} ({})\n", a.jobs, a.jobs == 1 ? "" : "s", instruction_set(),
             processor_name());
  std::fflush(stdout);
}

/// A line a tenth.
class Teller {
 public:
  Teller(const char* what, bool is_quiet) : what_(what), is_quiet_(is_quiet) {}
  void operator()(const Progress& p) {
    const std::size_t tenth = p.all == 0 ? 0 : 10 * p.done / p.all;
    if (is_quiet_ || tenth == told_ || p.done == 0) return;
    told_ = tenth;
    const double left = p.seconds * static_cast<double>(p.all - p.done) / static_cast<double>(p.done);
    fmt::print("{} {}/{}, {} left\n", what_, p.done, p.all, report::shown_duration(left));
    std::fflush(stdout);
  }

 private:
  const char* what_;
  bool is_quiet_;
  std::size_t told_ = 0;
};

int study(const Arguments& a) {
  set_threads(1);  // processes are forked: no thread may run beside this one
  const Settings settings = a.resume.empty() ? settings_of(a) : read_settings(a.resume);
  const train::InterruptGuard interrupts;
  train::RunFolder folder =
      a.resume.empty() ? claim_study(a.out, a.is_overwriting, a.executable) : train::RunFolder::open(a.resume);
  if (a.resume.empty()) write_settings(folder.path(), settings, a.command);
  folder.keep();
  print_start(settings, a);
  Outcomes outcomes = read_outcomes(folder.path());
  const auto run_all = [&](const char* what, const std::vector<Trial>& trials) {
    if (run_trials(folder.path(), settings, trials, a.jobs, outcomes, Teller(what, a.is_quiet))) return;
    throw train::Interrupted(
        fmt::format("interrupted; {} --resume {} goes on", a.executable, train::shell_quoted(folder.path().string())));
  };
  run_all("tuning", tuning_trials(settings));
  run_all("reported trainings", reported_trials(settings, outcomes));

  const Findings findings = findings_of(settings, all_tasks(), outcomes);
  write_file(folder.path() / "results.csv", csv_of(outcomes));
  write_file(folder.path() / "report.html",
             page_of(findings, read_command(folder.path()),
                     {{"machine", fmt::format("{}, {}, one thread a training", processor_name(), instruction_set())},
                      {"software", library_versions()}}));
  fmt::print("\n{}\n", report::table_text(leaderboard(findings)));
  if (const report::Table table = lookahead_table(findings); !table.empty())
    fmt::print("{}\n", report::table_text(table));
  fmt::print("written: {}/report.html, results.csv, trials.jsonl, study.json\n", folder.path().string());
  return train::kExitDone;
}

}  // namespace

int run(int argc, char** argv) try {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return train::kExitDone;
  return study(arguments);
} catch (...) {
  return train::end_by_exception();
}

}  // namespace tandem::study
