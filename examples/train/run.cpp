// The bookkeeping of a run, in the order in which a program calls it. What it measures: run_measure.cpp.
#include "run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/tree.h>

#include "fork.h"
#include "program.h"
#include "ranks.h"
#include "run_folder.h"

namespace tandem::train {
namespace {

constexpr std::int64_t kEvaluations = 20;    // of a run, where --evaluate-every does not say it
constexpr std::int64_t kStepLines = 20'000;  // of a run at most, where --log-every does not say it
constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Run::Run(RunContext context) : context_(std::move(context)), begin_(Clock::now()), epoch_begin_(begin_) {}

void Run::prepare(nn::Module& model) const {
  const Options& options = context_.options;
  if (!options.init.empty() && options.fork.empty() && !has_checkpoint(folder())) {
    const std::string loaded = load_init(model, context_.folder / kInitFile, options.init.string(), options.new_head);
    if (!loaded.empty()) context_.progress.note("init       " + loaded);
  }
  for (const std::string& pattern : options.freeze) freeze(model, pattern);
}

CheckpointOwner Run::owner() const {
  return {context_.manifest.program, name(), rule().describe(), context_.manifest.experiment.data_checksum};
}

void Run::start_run(nn::Module& model, Optimizer& optimizer, std::int64_t batches) {
  model_ = &model;
  optimizer_ = &optimizer;
  batches_per_epoch_ = batches;
  const Options& options = context_.options;
  const Manifest& manifest = context_.manifest;
  evaluate_every_ =
      options.evaluate_every > 0 ? options.evaluate_every : std::max<std::int64_t>(1, total_steps() / kEvaluations);
  log_every_ = options.log_every > 0 ? options.log_every : (total_steps() + kStepLines - 1) / kStepLines;
  context_.announce(model);
  make_instruments();
  make_writable_folder(folder());
  if (is_among_ranks()) begin_among_ranks();
  const bool is_resumed = context_.workers->broadcast(has_checkpoint(folder()) ? "1" : "") == "1";
  if (is_resumed) {
    state_ = load_state(folder() / kCheckpoint, owner(), model, optimizer, *context_.workers);
    if (load_carried_ && !state_.carried.empty()) load_carried_(std::exchange(state_.carried, {}));
    fmt::print("resume     {} from step {} of {} (epoch {})\n", name(), state_.step, total_steps(), state_.epochs + 1);
  }
  if (!is_resumed && !options.fork.empty()) {
    ForkReport report;
    state_ = load_fork(context_.folder / kForkFile, model, optimizer, report);
    if (load_carried_ && !state_.carried.empty()) load_carried_(std::exchange(state_.carried, {}));
    context_.progress.note(fmt::format("fork       {} at step {}: {}", name(), state_.step, to_string(report, model)));
  }
  trace_ = StepTrace::of_this_process(name());
  if (trace_) watch_syncs();
  logs_ = std::make_unique<RunLogs>(folder(), leaves_model() && writes() ? state_.logs : LogPosition{});
  watch_.emplace(model);
  optimizer.watch_steps(true);
  if (is_among_ranks() && !is_resumed && leaves_model()) save();  // a rank that dies leaves something to go on from
  if (is_among_ranks()) set_way_back(context_.resume_command);
  seconds_before_ = state_.seconds;
  begin_ = Clock::now();
  const std::int64_t epochs = (total_steps() + manifest.steps_per_epoch - 1) / manifest.steps_per_epoch;
  if (options.profile) profile_ = std::make_unique<ProfileLog>();
  context_.progress.start_run(name(), epochs, total_steps(), state_.step);
}

bool Run::next_epoch() {
  if (context_.options.inner_steps > 0 && !measure_inner_)
    fail_usage("--inner-steps", "this program does not measure single steps", {}, "leave it out");
  if (context_.options.instruments > 0 && !part_loss_.has_value())
    fail_usage("--instruments", "this program does not measure parts of its batches", {}, "leave it out");
  if (is_over()) {
    finish();
    return false;
  }
  context_.progress.start_epoch(state_.epochs + 1);
  return true;
}

void Run::begin_steps() {
  epoch_seconds_before_ = state_.epoch.seconds;
  between_steps();
  epoch_begin_ = Clock::now();
}

/// What TANDEM_TRACE asks for.
void Run::between_steps() {
  if (!trace_) return;
  if (trace_->saves_at(state_.step)) write_state(trace_->save_path());
  if (trace_->keeps(state_.step)) trace_->keep(model_->state_dict(), state_.step, false);
  is_stopped_ = is_stopped_ || trace_->ends_after(state_.step);
  if (!is_over()) trace_->before(*optimizer_, model_->parameters(), state_.step + 1);
}

/// Asked for before batches are read.
std::int64_t Run::batches_wanted() const {
  profile::set_phase(profile::Phase::loading);
  if (is_over() || is_epoch_over_) return 0;
  return std::min(context_.options.accumulate, batches_per_epoch_ - state_.batches);
}

std::int64_t Run::steps_in(std::int64_t batches) const {
  return (batches + context_.options.accumulate - 1) / context_.options.accumulate;
}

void Run::step(double loss) {
  profile::end_step();
  profile::set_phase(profile::Phase::other);
  ++state_.step;
  if (trace_) trace_->after(*optimizer_, state_.step, loss);
  const StepReport& report = optimizer_->last_step();
  StepLine line{.step = state_.step,
                .loss = loss,
                .lr = report.lr,
                .gradient_norm = report.gradient_norm,
                .update_norm = report.update_norm,
                .distance = report.levels.empty() ? kNotMeasured : report.levels.front().distance,
                .alpha = report.levels.empty() ? kNotMeasured : report.levels.front().alpha,
                .synced = !report.levels.empty() && report.levels.front().synced};
  has_synced_ = line.synced;
  if (!std::isfinite(loss)) {
    if (bad_loss_.empty()) bad_loss_ = fmt::format("train_loss is {}: {}", loss, watch_->finding());
    if (!is_among_ranks()) {
      logs_->step(line);
      diverge(bad_loss_);
      return;
    }
  }
  if (is_among_ranks()) note_traffic(line);
  state_.batches += step_->batches();
  end_instruments();
  if (is_inner(state_.step)) write_inner(state_.step, line.synced ? "slow" : "fast");
  if (state_.step % log_every_ == 0) logs_->step(line);
  state_.epoch.loss += loss * static_cast<double>(step_->examples());
  state_.epoch.examples += step_->examples();
  state_.epoch.seconds = epoch_seconds_before_ + std::chrono::duration<double>(Clock::now() - epoch_begin_).count();
  is_epoch_over_ = state_.batches == batches_per_epoch_;
  const bool is_near_end =
      context_.options.evaluate_every == 0 && steps_in(batches_per_epoch_ - state_.batches) < evaluate_every_ / 2;
  evaluation_due_ =
      (state_.step % evaluate_every_ == 0 && !is_near_end) || is_epoch_over_ || state_.step == total_steps();
  if (trace_ && trace_->ends_after(state_.step) && !trace_->saves_at(state_.step)) evaluation_due_ = false;
  if (is_among_ranks() && meets()) agree();
  if (is_diverged_) return;
  if (context_.options.find_lr) find_lr(loss);
  context_.progress.step(state_.epoch.mean_loss(), state_.epoch.examples_per_second());
}

void Run::end_step() {
  const bool has_evaluated = evaluated_step_ == state_.step;
  evaluation_due_ = false;
  if (is_diverged_) return;
  if (!is_among_ranks()) signal_ = interrupt_signal();
  const std::int64_t every = context_.options.checkpoint_every;
  const bool is_due = every > 0 ? state_.step % every == 0 : is_among_ranks() && has_evaluated;
  if (is_epoch_over_) end_epoch();
  if (leaves_model() && (is_due || state_.batches == 0 || is_over() || signal_ != 0)) save();
  if (!is_diverged_) between_steps();
  if (signal_ == 0 || is_over()) return;
  context_.progress.wipe();
  throw Interrupted(fmt::format("interrupted after step {} of {}, saved; go on with: {}", state_.step, name(),
                                context_.resume_command),
                    signal_);
}

void Run::end_epoch() {
  const double speed = state_.epoch.examples_per_second();
  const Trained trained = std::exchange(state_.epoch, {});
  state_.all.seconds += trained.seconds;
  state_.all.examples += trained.examples;
  state_.batches = 0;
  ++state_.epochs;
  is_epoch_over_ = false;
  if (context_.options.find_lr) return;
  const std::string watched = watched_metric(context_.manifest.experiment);
  optimizer_->report(report::value_of(state_.last, watched), report::is_larger_better(watched));
  context_.progress.end_epoch(state_.last, context_.manifest.experiment.metric, speed, seconds());
}

void Run::save() {
  std::string bad = bad_entry(*model_);
  for (int r = 0; r < context_.workers->size() && is_among_ranks(); ++r)
    if (const std::string other = context_.workers->broadcast(bad, r); bad.empty()) bad = other;
  if (!bad.empty()) {
    diverge(fmt::format("\"{}\" is not finite after the step", bad));
    return;
  }
  write_state(folder() / kCheckpoint);
  context_.keep();
}

void Run::write_state(const std::filesystem::path& path) {
  const profile::PhaseScope phase(profile::Phase::saving);
  state_.seconds = seconds();
  state_.logs = logs_->sync();
  state_.carried = state_.batches > 0 && save_carried_ ? save_carried_() : NamedArrays{};
  save_state(path, owner(), state_, *model_, *optimizer_, *context_.workers);
  state_.carried.clear();
}

double Run::seconds() const { return seconds_before_ + std::chrono::duration<double>(Clock::now() - begin_).count(); }

void Run::diverge(const std::string& reason) {
  is_diverged_ = true;
  evaluation_due_ = false;
  result_.reason = reason;
  logs_->sync();
  context_.keep();
  context_.progress.note(fmt::format("{}  diverged at step {}: {}", name(), state_.step, reason));
}

void Run::finish() {
  if (is_complete_) return;
  if (profile_) profile_->finish(folder());
  profile_.reset();
  if (!is_diverged_) {
    if (leaves_model()) save_model_file("model.safetensors");
    is_complete_ = true;
  }
  result_.status = is_diverged_ ? RunStatus::diverged : is_stopped_ ? RunStatus::stopped : RunStatus::finished;
  result_.step = state_.step;
  result_.epochs = static_cast<double>(state_.epochs + (state_.batches > 0 ? 1 : 0));
  result_.parameters = model_->parameter_count();
  result_.seconds = seconds();
  const double train_seconds = state_.all.seconds + state_.epoch.seconds;
  auto examples = static_cast<double>(state_.all.examples + state_.epoch.examples);
  context_.workers->sum(&examples, 1);
  result_.examples_per_second = train_seconds > 0 ? examples / train_seconds : 0;
  result_.final = state_.last;
  result_.best = state_.best;
  logs_->sync();
  if (state_.batches > 0 && !is_diverged_ && leaves_model())
    context_.progress.end_epoch(state_.last, context_.manifest.experiment.metric, result_.examples_per_second,
                                result_.seconds);
}

void Run::picture(const std::string& figure, const std::string& png, const std::string& caption) {
  const std::filesystem::path folder_of_pictures = folder() / "pictures";
  make_writable_folder(folder_of_pictures);
  write_file(folder_of_pictures / (figure + ".png"), png);
  result_.pictures.push_back({figure, "", caption, figure + ".png", {}});
}

void Run::find_lr(double loss) {
  constexpr double kTooFar = 4;  // times the least loss: the lr is too large by now
  evaluation_due_ = false;
  least_loss_ = state_.step == 1 ? loss : std::min(least_loss_, loss);
  is_stopped_ = loss > kTooFar * least_loss_;
}

void Run::save_model_file(const char* file) {
  const profile::PhaseScope phase(profile::Phase::saving);
  const std::unique_ptr<EvaluationScope> scope(is_evaluating_ ? nullptr : new EvaluationScope(*this));
  if (!writes()) return;
  nn::ModelInfo info = info_;
  const Manifest& m = context_.manifest;
  info.extra["program"] = m.program;
  info.extra["dataset"] = m.experiment.dataset;
  info.extra["data_checksum"] = m.experiment.data_checksum;
  info.extra["optimizer"] = context_.plan.optimizer;
  info.extra["schedule"] = context_.options.schedule;
  info.extra["seed"] = std::to_string(seed());
  nn::save_model(folder() / file, *model_, info);
}

}  // namespace tandem::train
