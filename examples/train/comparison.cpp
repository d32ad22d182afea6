// Comparisons: which runs there are, and which are over. What is said: comparison_text.cpp.
#include "comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/optim/rule_labels.h>
#include <tandem/report/folder_files.h>
#include <tandem/report/report.h>
#include <tandem/report/tables.h>

#include "find_lr.h"
#include "fork.h"
#include "jobs.h"
#include "process.h"
#include "program.h"
#include "ranks.h"

namespace tandem::train {
namespace {

/// epochs * steps_per_epoch, or --steps where that is shorter; never beyond what an integer holds.
std::int64_t total_steps_of(const Options& options, std::int64_t per_epoch) {
  constexpr std::int64_t kMost = 1'000'000'000'000;
  const std::int64_t all = options.epochs > kMost / per_epoch ? kMost : options.epochs * per_epoch;
  if (options.steps == 0 && all == kMost)
    fail_usage("--epochs", fmt::format("is {}, which are more than {} steps", options.epochs, with_commas(kMost)));
  if (options.steps > all && !options.find_lr)
    warn(fmt::format("--steps is {}: --epochs {} ends each run sooner, after {} steps", options.steps, options.epochs,
                     all));
  return options.steps > 0 ? std::min(options.steps, all) : all;
}

Rule scheduled(const Rule& rule, const std::string& schedule, std::int64_t total_steps) {
  const Schedule factor = parse_schedule(schedule, total_steps);
  return factor.describe() == "constant" ? rule : with_schedule(rule, factor);  // a factor of 1 need not be spelled out
}

/// A rule's text says the same for a run of another length: nothing in it ends.
bool is_open_ended(const std::string& spec, const std::string& schedule, std::int64_t a, std::int64_t b) {
  const auto text = [&](std::int64_t total) { return scheduled(parse_rule(spec, total), schedule, total).describe(); };
  return text(a) == text(b);
}

}  // namespace

Comparison::Comparison(const CommandLine& line, const Experiment& experiment)
    : line_(line), options_(line.options()), only_(run_of_this_process()) {
  if (!options_.evaluate.empty() || !options_.predict.empty())
    fail_usage(options_.predict.empty() ? "--evaluate" : "--predict", fmt::format("{} trains only", options_.program),
               {}, "leave it out");
  if (experiment.batches_per_epoch < 1) fail(options_.program, "an epoch has no batch", experiment.data);
  check_ranks(experiment);
  const int all_threads = options_.threads > 0 ? static_cast<int>(options_.threads) : threads_of_rank();
  set_threads(only_ ? all_threads : std::max(1, all_threads / static_cast<int>(options_.jobs)));
  manifest_.program = options_.program;
  manifest_.command = line.command();
  manifest_.executable = own_program().string();
  manifest_.arguments = line.resolved_arguments();
  manifest_.options = line.resolved();
  manifest_.experiment = experiment;
  manifest_.steps_per_epoch = (experiment.batches_per_epoch + options_.accumulate - 1) / options_.accumulate;
  manifest_.total_steps = total_steps_of(options_, manifest_.steps_per_epoch);
  if (options_.find_lr) {
    manifest_.total_steps = options_.steps > 0 ? options_.steps : kFindSteps;
    if (manifest_.total_steps < kFewestFindSteps)
      fail_usage("--find-lr", fmt::format("{} steps are too few", manifest_.total_steps),
                 fmt::format("at least {} are needed", kFewestFindSteps));
  }
  manifest_.threads = threads();
  manifest_.ranks = workers()->size();
  manifest_.machine = fmt::format("{}, {}", processor_name(), instruction_set());
  manifest_.software = library_versions();
  plan();
  const bool is_new = options_.resume.empty();
  // Before a folder is emptied in which it may lie.
  const std::string init = is_new && !options_.init.empty() ? read_file(options_.init) : std::string();
  std::string fork;
  if (is_new && !options_.fork.empty()) {
    const ForkPoint point = parse_fork(options_.fork);
    fork = read_fork(point, experiment.data_checksum);
    if (manifest_.total_steps <= point.step)
      fail_usage("--fork", fmt::format("the run ends at step {}", manifest_.total_steps),
                 fmt::format("it begins at step {}", *point.step), "give more --epochs or --steps");
  }
  if (!is_new) {
    const Manifest before = read_manifest(options_.resume);
    if (before.experiment.data_checksum != experiment.data_checksum)
      fail(options_.resume.string(), "the training data are not those of this run",
           fmt::format("checksum is {}, was {}", experiment.data_checksum, before.experiment.data_checksum),
           "--data says where they lie");
    check_resumed_ranks(before.ranks);
    if (before.machine != manifest_.machine || before.software != manifest_.software)
      warn(fmt::format("{}: the run began on {} with {}: other machines and libraries give other bits",
                       options_.resume.string(), before.machine, before.software));
    is_extended_ = manifest_.total_steps > before.total_steps;
    if (manifest_.total_steps < before.total_steps)
      fail_usage("--resume", "the run cannot become shorter",
                 fmt::format("{} steps, it has {}", manifest_.total_steps, before.total_steps));
    for (const Contestant& c : expand_optimizers(options_.optimizers)) {
      if (!is_extended_ || is_open_ended(c.spec, options_.schedule, before.total_steps, manifest_.total_steps))
        continue;
      fail_usage("--resume", "a run whose schedule ends cannot become longer", rules_.front().describe(),
                 "begin a new one, with --init and the model of this one");
    }
    manifest_.command = before.command;
    manifest_.executable = before.executable;
    manifest_.created = before.created;
    manifest_.parameters = before.parameters;
    path_ = options_.resume;
    if (is_other_rank())
      open_scratch();
    else if (!only_)
      folder_ = std::make_unique<RunFolder>(RunFolder::open(path_));
    if (is_extended_ && !only_) write_manifest(path_, manifest_);
  } else if (is_other_rank()) {
    open_scratch();
  } else if (options_.out.empty()) {
    folder_ = std::make_unique<RunFolder>(RunFolder::create_default(options_.program));
  } else {
    folder_ = std::make_unique<RunFolder>(RunFolder::create(options_.out, options_.overwrite, line.executable()));
  }
  if (folder_) path_ = folder_->path();
  resume_command_ = workers()->broadcast(
      fmt::format("{}{} --resume {}", launch_command(), line_.executable(), shell_quoted(path_.string())));
  if (!init.empty()) write_file(path_ / kInitFile, init);
  if (!fork.empty()) write_file(path_ / kForkFile, fork);
  std::int64_t open = 0;
  for (const PlannedRun& run : manifest_.planned) open += is_over(run) ? 0 : 1;
  if (only_) open = 1;
  progress_ = std::make_unique<Progress>(
      only_ && !options_.quiet ? ProgressStyle::lines : progress_style(options_.quiet), open * manifest_.total_steps);
}

Comparison::~Comparison() = default;

void Comparison::plan() {
  const std::vector<Contestant> contestants = expand_optimizers(options_.optimizers);
  manifest_.sweep = sweep_axes(contestants);
  if (options_.find_lr && !options_.resume.empty() && !only_)
    fail_usage("--find-lr", "is not for --resume", {}, "leave it out");
  std::set<std::string> names;
  for (const std::uint64_t seed : options_.seeds) {
    for (const Contestant& contestant : contestants) {
      const Rule rule = parse_rule(contestant.spec, manifest_.total_steps);
      const std::string name = run_name(contestant.label, seed);
      if (!names.insert(name).second) fail("comparison", "two runs have the same name", name);
      Texts arguments;
      for (const auto& [argument, value] : rule_arguments(contestant.spec))
        arguments.emplace_back(argument, argument == "rule" && !contestant.name.empty() ? contestant.name : value);
      for (const auto& [axis, value] : contestant.choices)  // as the axes have them
        for (auto& [argument, text] : arguments)
          if (argument == axis) text = value;
      manifest_.planned.push_back({name, contestant.label, rule.describe(), arguments, seed});
      rules_.push_back(scheduled(rule, options_.find_lr ? rising_lr(manifest_.total_steps) : options_.schedule,
                                 manifest_.total_steps));
    }
  }
}

bool Comparison::is_over(const PlannedRun& run) const {
  const bool is_known = !is_other_rank() && is_over_here(run);
  return workers()->broadcast(is_known ? "1" : "") == "1";
}

bool Comparison::is_over_here(const PlannedRun& run) const {
  const std::optional<RunResult> record = read_run_result(path_, run.name);
  if (!record || !record->is_over()) return false;
  return !is_extended_ || record->status == RunStatus::diverged || record->step >= manifest_.total_steps;
}

Comparison::Iterator Comparison::begin() {
  if (options_.jobs > 1 && !only_) run_jobs();
  return Iterator(this);
}

void Comparison::announce(const nn::Module& model) {
  if (is_announced_ || only_) return;
  is_announced_ = true;
  manifest_.parameters = model.parameter_count();
  if (options_.resume.empty()) write_manifest(path_, manifest_);
  print_start();
}

void Comparison::run_jobs() {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < manifest_.planned.size(); ++i)
    if (!is_over(manifest_.planned[i])) open.push_back(i);
  if (options_.resume.empty()) {
    write_manifest(path_, manifest_);
    folder_->keep();
  }
  print_start();
  fmt::print("jobs       {} runs, {} at a time\n", open.size(), options_.jobs);
  std::fflush(stdout);
  const JobsResult result = train::run_jobs(
      {.folder = path_, .runs = open, .at_a_time = options_.jobs, .arguments = line_.arguments_of_jobs()});
  if (interrupt_signal() != 0)
    throw Interrupted(fmt::format("interrupted, saved; go on with: {} --resume {}", line_.executable(),
                                  shell_quoted(path_.string())));
  if (result.exit_code != 0)
    fail(manifest_.planned[result.run].name, "its process ended without a result",
         fmt::format("exit code {}", result.exit_code), "its message stands above; --resume goes on");
}

void Comparison::begin_run() {
  const std::vector<std::int64_t> signals = workers()->gather(interrupt_signal());
  if (const auto signal = static_cast<int>(*std::max_element(signals.begin(), signals.end())); signal != 0)
    throw Interrupted("interrupted between two runs; go on with: " + resume_command_, signal);
  for (; next_ < manifest_.planned.size(); ++next_) {
    const PlannedRun& planned = manifest_.planned[next_];
    if (only_ ? next_ != *only_ : is_over(planned)) continue;
    run_ = std::make_unique<Run>(RunContext{.options = options_,
                                            .manifest = manifest_,
                                            .plan = planned,
                                            .rule = rules_[next_],
                                            .folder = path_,
                                            .resume_command = resume_command_,
                                            .progress = *progress_,
                                            .workers = workers(),
                                            .keep =
                                                [this] {
                                                  if (folder_ && !is_other_rank()) folder_->keep();
                                                },
                                            .announce = [this](const nn::Module& model) { announce(model); }});
    return;
  }
}

void Comparison::end_run() {
  if (!run_->is_finished())
    fail(run_->name(), "the program's loop ended before the run", {}, "loop while (run.next_epoch())");
  write_run_result(path_, run_->name(), run_->result());
  if (folder_ && !is_other_rank()) folder_->keep();
  run_.reset();
  ++next_;
}

void Comparison::picture(const std::string& figure, const std::string& row, const std::string& png,
                         const std::string& caption) {
  if (only_) return;
  const std::string file = fmt::format("{}-{}.png", figure, row);
  report::check_plain_name(file, "comparison: a picture");
  pictures_.push_back({figure, row, caption, file, png});
}

int Comparison::finish() {
  if (only_) return kExitDone;
  if (is_other_rank()) return static_cast<int>(workers()->gather(0).front());
  const int code = write_results();
  workers()->gather(code);
  return code;
}

/// Of all runs, by rank 0.
int Comparison::write_results() {
  if (!pictures_.empty()) {
    write_pictures(path_, pictures_);  // the list first: what lies there is known by it
    make_writable_folder(path_ / "pictures");
    for (const Picture& picture : pictures_) write_file(path_ / "pictures" / picture.file, picture.png);
  }
  join_logs(path_, manifest_);
  if (options_.find_lr) {
    write_lr_report(path_, manifest_);
    fmt::print("\n{}\nwritten: {}/report.html\n", found_lr_table(path_, manifest_), path_.string());
    if (options_.profile) print_profile();
    return kExitDone;
  }
  for (const PlannedRun& run : manifest_.planned)
    if (const auto record = read_run_result(path_, run.name)) manifest_.parameters = record->parameters;
  write_manifest(path_, manifest_);  // which knows the model's size only now, with --jobs
  write_summary(path_, manifest_);
  report::write_report(path_ / "report.html", {path_});
  const std::string base = path_.string();
  fmt::print(
      "\n{}\nwritten: {}/report.html, summary.json, metrics.csv, steps.csv, and below it of each run the model and "
      "what TensorBoard reads\n",
      report::comparison_text(report::read_comparison(path_)), base);
  if (options_.profile) print_profile();
  bool any = false;
  for (const PlannedRun& run : manifest_.planned) {
    const std::optional<RunResult> record = read_run_result(path_, run.name);
    any = any || (record && record->status != RunStatus::diverged);
  }
  return any ? kExitDone : kExitDiverged;
}

}  // namespace tandem::train
