// The bookkeeping of a run, in the order in which a program calls it.
#include "run.h"

#include <fmt/format.h>

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include <tandem/core/tree.h>
#include <tandem/data/png.h>

#include "interrupt.h"

namespace tandem::train {
namespace {

constexpr std::int64_t kEvaluations = 20;    // of a run, where --evaluate-every does not say it
constexpr std::int64_t kStepLines = 20'000;  // of a run at most, where --log-every does not say it
constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// The parameters whose names match are not trained. Throws UsageError when there is none.
void freeze(nn::Module& model, const std::string& pattern) {
  NamedTensors parameters = model.parameters();
  bool is_any = false;
  for (NamedTensor& parameter : parameters) {
    if (::fnmatch(pattern.c_str(), parameter.name.c_str(), 0) != 0) continue;
    parameter.tensor.set_requires_grad(false);
    is_any = true;
  }
  if (!is_any)
    fail_usage("--freeze", fmt::format("no parameter matches \"{}\"", pattern),
               parameters.empty() ? ""
                                  : fmt::format("the first is \"{}\", the last \"{}\"", parameters.front().name,
                                                parameters.back().name));
}

/// The first entry of the model that is not finite; empty where all are.
std::string bad_entry(const nn::Module& model) {
  for (const NamedTensor& entry : model.state_dict())
    if (!is_finite(entry.tensor.value())) return entry.name;
  return {};
}

}  // namespace

Run::Run(RunContext context) : context_(std::move(context)), begin_(Clock::now()), epoch_begin_(begin_) {}

Run::~Run() = default;

void Run::prepare(nn::Module& model) const {
  const Options& options = context_.options;
  if (!options.init.empty() && options.new_head) {
    const nn::LoadReport report = nn::load_fitting_weights(model, options.init);
    context_.progress.note("init       " + report.to_string());
  } else if (!options.init.empty()) {
    nn::load_weights(model, options.init);
  }
  for (const std::string& pattern : options.freeze) freeze(model, pattern);
}

void Run::carry(std::function<NamedArrays()> save, std::function<void(const NamedArrays&)> load) {
  save_carried_ = std::move(save);
  load_carried_ = std::move(load);
}

void Run::start_run(nn::Module& model, Optimizer& optimizer, std::int64_t batches) {
  model_ = &model;
  optimizer_ = &optimizer;
  steps_per_epoch_ = batches;
  const Options& options = context_.options;
  const Manifest& manifest = context_.manifest;
  evaluate_every_ =
      options.evaluate_every > 0 ? options.evaluate_every : std::max<std::int64_t>(1, total_steps() / kEvaluations);
  log_every_ = options.log_every > 0 ? options.log_every : (total_steps() + kStepLines - 1) / kStepLines;
  context_.announce(model);
  if (options.instruments > 0) instruments_.emplace(optimizer);  // distances are from the initial weights
  const std::filesystem::path checkpoint = folder() / "checkpoint.safetensors";
  std::error_code ignored;
  make_writable_folder(folder());
  if (std::filesystem::exists(checkpoint, ignored) ||
      std::filesystem::exists(folder() / "checkpoint.previous.safetensors", ignored)) {
    state_ = load_state(checkpoint, {manifest.program, name(), rule().describe(), manifest.experiment.data_checksum},
                        model, optimizer);
    if (load_carried_ && !state_.carried.empty()) load_carried_(std::exchange(state_.carried, {}));
    fmt::print("resume     {} from step {} of {} (epoch {})\n", name(), state_.step, total_steps(), state_.epochs + 1);
  }
  logs_ = std::make_unique<RunLogs>(folder(), state_.logs);
  watch_.emplace(model);
  optimizer.watch_steps(true);
  seconds_before_ = state_.seconds;
  begin_ = Clock::now();
  const std::int64_t epochs = (total_steps() + steps_per_epoch_ - 1) / steps_per_epoch_;
  context_.progress.start_run(name(), epochs, total_steps(), state_.step);
}

bool Run::next_epoch() {
  if (context_.options.instruments > 0 && !part_loss_.has_value())
    fail_usage("--instruments", "this program does not measure parts of its batches", {}, "leave it out");
  if (is_over()) {
    finish();
    return false;
  }
  context_.progress.start_epoch(state_.epochs + 1);
  return true;
}

void Run::begin_batches() {
  epoch_seconds_before_ = state_.epoch.seconds;
  epoch_begin_ = Clock::now();
}

bool Run::wants_batch() const { return !is_over() && state_.batches < steps_per_epoch_ && !is_epoch_over_; }

void Run::step(double loss) {
  ++state_.step;
  const StepReport& report = optimizer_->last_step();
  StepLine line{.step = state_.step,
                .loss = loss,
                .lr = report.lr,
                .gradient_norm = report.gradient_norm,
                .update_norm = report.update_norm,
                .distance = report.levels.empty() ? kNotMeasured : report.levels.front().distance,
                .alpha = report.levels.empty() ? kNotMeasured : report.levels.front().alpha,
                .synced = !report.levels.empty() && report.levels.front().synced};
  if (!std::isfinite(loss)) {
    logs_->step(line);
    diverge(fmt::format("train_loss is {}: {}", loss, watch_->finding()));
    return;
  }
  ++state_.batches;
  end_instruments();
  if (is_inner(state_.step)) write_inner(state_.step, line.synced ? "slow" : "fast");
  if (state_.step % log_every_ == 0) logs_->step(line);
  state_.epoch.loss += loss * static_cast<double>(batch_examples_);
  state_.epoch.examples += batch_examples_;
  state_.epoch.seconds = epoch_seconds_before_ + std::chrono::duration<double>(Clock::now() - epoch_begin_).count();
  is_epoch_over_ = state_.batches == steps_per_epoch_;
  const bool is_near_end =
      context_.options.evaluate_every == 0 && steps_per_epoch_ - state_.batches < evaluate_every_ / 2;
  evaluation_due_ =
      (state_.step % evaluate_every_ == 0 && !is_near_end) || is_epoch_over_ || state_.step == total_steps();
  if (context_.options.find_lr) find_lr(loss);
  context_.progress.step(state_.epoch.mean_loss(), state_.epoch.examples_per_second());
}

void Run::end_batch() {
  evaluation_due_ = false;
  if (is_diverged_) return;
  const std::int64_t every = context_.options.checkpoint_every;
  const bool is_due = every > 0 && state_.step % every == 0;
  if (is_epoch_over_) end_epoch();
  if (!context_.options.find_lr && (is_due || state_.batches == 0 || is_over() || interrupt_signal() != 0)) save();
  if (interrupt_signal() == 0 || is_over()) return;
  context_.progress.wipe();
  throw Interrupted(fmt::format("interrupted after step {} of {}, saved; go on with: {}", state_.step, name(),
                                context_.resume_command));
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
  if (const std::string bad = bad_entry(*model_); !bad.empty()) {
    diverge(fmt::format("\"{}\" is not finite after the step", bad));
    return;
  }
  state_.seconds = seconds();
  state_.logs = logs_->sync();
  state_.carried = state_.batches > 0 && save_carried_ ? save_carried_() : NamedArrays{};
  const Manifest& manifest = context_.manifest;
  save_state(folder() / "checkpoint.safetensors",
             {manifest.program, name(), rule().describe(), manifest.experiment.data_checksum}, state_, *model_,
             *optimizer_);
  state_.carried.clear();
  context_.keep();
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
  if (!is_diverged_) {
    if (!context_.options.find_lr) save_model_file("model.safetensors");
    is_complete_ = true;
  }
  result_.status = is_diverged_ ? RunStatus::diverged : is_stopped_ ? RunStatus::stopped : RunStatus::finished;
  result_.step = state_.step;
  result_.epochs = state_.epochs + (state_.batches > 0 ? 1 : 0);
  result_.parameters = model_->parameter_count();
  result_.seconds = seconds();
  const double train_seconds = state_.all.seconds + state_.epoch.seconds;
  const auto examples = static_cast<double>(state_.all.examples + state_.epoch.examples);
  result_.examples_per_second = train_seconds > 0 ? examples / train_seconds : 0;
  result_.final = state_.last;
  result_.best = state_.best;
  logs_->sync();
  if (state_.batches > 0 && !is_diverged_ && !context_.options.find_lr)
    context_.progress.end_epoch(state_.last, context_.manifest.experiment.metric, result_.examples_per_second,
                                result_.seconds);
}

void Run::picture(const std::string& figure, const std::string& png, const std::string& caption) {
  const std::filesystem::path folder_of_pictures = folder() / "pictures";
  make_writable_folder(folder_of_pictures);
  write_file(folder_of_pictures / (figure + ".png"), png);
  result_.pictures.push_back({figure, "", caption, figure + ".png"});
}

}  // namespace tandem::train
