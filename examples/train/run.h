// Run: the bookkeeping of one training, so that the program shows its loop and nothing else. A run goes from initial
// weights, or its checkpoint, to the saved model. The loop stands above the class.
// Not here: which runs there are (comparison.h), files (run_folder.h, record.h, checkpoint.h).
#pragma once

#include <any>
#include <chrono>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/workers/workers.h>
#include <tandem/nn/behaviour_scope.h>
#include <tandem/nn/model_file.h>
#include <tandem/optim/optimizer.h>

#include "batch_parts.h"
#include "checkpoint.h"
#include "command_line.h"
#include "finite_watch.h"
#include "profile_log.h"
#include "progress.h"
#include "rank_trace.h"
#include "record.h"
#include "step_batches.h"
#include "step_trace.h"

namespace tandem::train {

/// What a run needs to know of its comparison.
struct RunContext {
  const Options& options;
  const Manifest& manifest;
  PlannedRun plan;
  Rule rule;                     ///< with --schedule on its leaves
  std::filesystem::path folder;  ///< of the comparison
  std::string resume_command;
  Progress& progress;
  std::shared_ptr<Workers> workers;                 ///< the ranks that the run is divided among
  std::function<void()> keep;                       ///< there is something to go on from: the folder stays
  std::function<void(const nn::Module&)> announce;  ///< the model is known: the first lines are printed
};

class Run;

/// While it lives the model has its evaluation weights, with --reestimate their batch-norm statistics, and evaluation
/// behaviour, and nothing is recorded for gradients. Afterwards all is as it was.
class EvaluationScope {
 public:
  ~EvaluationScope();
  EvaluationScope(const EvaluationScope&) = delete;
  EvaluationScope& operator=(const EvaluationScope&) = delete;

 private:
  friend class Run;
  explicit EvaluationScope(Run& run);
  Run& run_;
  profile::PhaseScope phase_{profile::Phase::evaluation};
  std::optional<EvaluationWeights> weights_;
  nn::BehaviourScope behaviour_;
  NoGradGuard no_grad_;
  std::vector<Array> statistics_;  // that training gathered, while others stand in the model
  std::chrono::steady_clock::time_point evaluation_begin_;
};

/// One training of a comparison:
///   for (Run& run : comparison) {
///     auto model = ...;
///     run.prepare(*model);
///     Optimizer optimizer(model->parameters(), run.rule());
///     run.start(*model, optimizer, batches);              // exact, where there is a checkpoint
///     while (run.next_epoch()) {
///       model->train();
///       for (auto& step : run.steps(batches)) {           // position, progress, signals, checkpoints
///         run.step(optimizer.step([&] {                   // called again where the rule wants the loss elsewhere
///           for (const auto& [images, labels] : step)     // --accumulate of them
///             step.backward(cross_entropy((*model)(images), labels));
///           return step.loss();
///         }));                                            // finite? the step's record
///         if (!run.evaluation_due()) continue;
///         const auto slow = run.evaluation_weights();
///         run.record({{"test_accuracy", nn::accuracy(*model, test)}});
///       }
///     }
///   }
class Run {
 public:
  explicit Run(RunContext context);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  std::uint64_t seed() const { return context_.plan.seed; }
  const Rule& rule() const { return context_.rule; }
  const std::string& name() const { return context_.plan.name; }
  std::int64_t steps_done() const { return state_.step; }
  /// The rows of every batch that this rank makes: LoaderOptions::part.
  Part part() const { return context_.workers->part(); }
  std::int64_t total_steps() const { return context_.manifest.total_steps; }

  /// --init and --freeze; before the optimizer is made, which leaves frozen parameters out.
  void prepare(nn::Module& model) const;
  /// Goes to where the run's checkpoint was written, if there is one. `batches`: a Loader, SentenceBatches,
  /// LanguageBatches, or anything with next(), batches() and set_position().
  template <class Source>
  void start(nn::Module& model, Optimizer& optimizer, Source& batches) {
    if constexpr (requires { batches.options().part; }) require_part(batches.options().part);
    if constexpr (requires { Source(batches.source(), batches.options()); })
      gather_ = [&batches, this] { gather_statistics(batches); };
    start_run(model, optimizer, batches.batches());
  }
  /// What goes on from batch to batch beside the model (the state of a recurrent one) and belongs into checkpoints.
  /// Called before start(), which gives back what was saved.
  void carry(std::function<NamedArrays()> save, std::function<void(const NamedArrays&)> load) {
    save_carried_ = std::move(save);
    load_carried_ = std::move(load);
  }
  /// What a model file says beside the weights. Default: nothing, and load_model cannot make the model.
  void describe_model(const nn::ModelInfo& info) { info_ = info; }

  /// True while there is an epoch to train. After the last one the model is saved.
  bool next_epoch();
  std::int64_t epoch() const { return state_.epochs; }

  /// The steps of this epoch that are left.
  template <class Source>
  class Steps;
  template <class Source>
  Steps<Source> steps(Source& source) {
    return Steps<Source>(*this, source);
  }

  /// After optimizer.step(): a loss that is not finite ends the run, which is then diverged. Writes the step's record.
  void step(const Tensor& loss) { step(loss.item()); }
  void step(double loss);
  /// After step(): metrics of the evaluation weights are wanted now.
  bool evaluation_due() const { return evaluation_due_; }
  /// evaluation_weights() of the optimizer, and what else an evaluation needs.
  [[nodiscard]] EvaluationScope evaluation_weights() { return EvaluationScope(*this); }
  /// What an evaluation gave. Infinite values are values; nan of the watched metric ends the run as diverged.
  void record(const Metrics& metrics);
  /// With --inner-steps N, before the first epoch: what measures the weights as they are, called after every step of a
  /// stretch of N in the middle of the run: of fast weights, at a sync before the pull and of the slow ones after it.
  /// They stand in inner.csv and are no evaluations.
  void measure_inner(std::function<Metrics()> measure);

  /// With --instruments N, before the first epoch: the loss of a part of a batch, as the loop computes it, e.g.
  /// [&](const Batch& part, std::int64_t first) { return cross_entropy((*model)(part.images), part.labels); }, `first`
  /// the number of the part's first row in its batch. Round steps 1, 1 + N, 1 + 2 N ... it is evaluated as
  /// optim/study/instruments.h says; no bit of the training changes.
  template <class Loss>
  void measure_instruments(Loss loss);

  /// After the last epoch: whether the run came to its end, so that it has a model to measure and to draw; --find-lr
  /// and a run that is only repeated (replay.h) leave none.
  bool is_complete() const { return is_complete_ && leaves_model(); }
  /// What is measured once, at the end: joins the final metrics.
  void record_final(const Metrics& metrics);
  /// What the report shows of the model: a PNG file's bytes. Pictures of one figure stand under each other.
  void picture(const std::string& figure, const std::string& png, const std::string& caption = {});

  bool is_finished() const { return is_complete_ || is_diverged_; }
  const RunResult& result() const { return result_; }

 private:
  friend class EvaluationScope;
  friend class Comparison;
  using Clock = std::chrono::steady_clock;
  CheckpointOwner owner() const;
  void start_run(nn::Module& model, Optimizer& optimizer, std::int64_t batches);
  template <class Source>
  void gather_statistics(Source& batches);
  void require_part(const Part& part) const;
  void begin_steps();
  void begin_step();
  std::int64_t batches_wanted() const;
  void end_step();
  // With several ranks (run_ranks.cpp).
  bool is_among_ranks() const { return context_.workers->size() > 1; }
  bool writes() const { return context_.workers->rank() == 0; }
  bool meets() const;
  void agree();
  void begin_among_ranks();
  void note_traffic(StepLine& line);
  void share(Metrics& metrics) const;
  void average_statistics(std::vector<Array>& before);
  std::int64_t steps_in(std::int64_t batches) const;
  void end_epoch();
  void between_steps();
  void save();
  void write_state(const std::filesystem::path& path);
  bool leaves_model() const { return !context_.options.find_lr && !(trace_ && trace_->ends()); }
  void save_model_file(const char* name);
  void diverge(const std::string& reason);
  void find_lr(double loss);
  void make_instruments();
  template <class Batch>
  void look(const std::vector<Batch>& batches);
  void begin_instruments(const std::vector<BatchPart>& parts);
  void end_instruments();
  void watch_syncs();
  bool is_inner(std::int64_t step) const;
  void write_inner(std::int64_t step, const char* weights);
  void finish();
  double seconds() const;
  bool is_over() const { return is_diverged_ || is_stopped_ || state_.step >= total_steps(); }
  std::filesystem::path folder() const { return context_.folder / context_.plan.name; }

  RunContext context_;
  nn::Module* model_ = nullptr;
  Optimizer* optimizer_ = nullptr;
  nn::ModelInfo info_;
  std::function<NamedArrays()> save_carried_;
  std::function<void(const NamedArrays&)> load_carried_;
  std::function<void()> gather_;
  std::function<Metrics()> measure_inner_;
  std::optional<Instruments> instruments_;
  std::any part_loss_;  // of measure_instruments(): a function of the batch's type
  std::optional<FiniteWatch> watch_;
  std::unique_ptr<RunLogs> logs_;
  std::unique_ptr<StepTrace> trace_;     // null: nothing is asked
  std::unique_ptr<ProfileLog> profile_;  // with --profile, while the run goes on
  TrainingState state_;
  RunResult result_;
  std::int64_t batches_per_epoch_ = 0, evaluate_every_ = 1, log_every_ = 1;
  StepMean* step_ = nullptr;  // the step at hand
  bool evaluation_due_ = false, is_evaluating_ = false, is_diverged_ = false, is_stopped_ = false, is_complete_ = false;
  bool is_epoch_over_ = false;
  int signal_ = 0;                         // that all ranks know of
  Traffic traffic_before_;                 // the step at hand
  std::unique_ptr<RankTrace> rank_trace_;  // null: nobody asked
  Clock::time_point step_begin_;
  std::int64_t evaluated_step_ = -1;
  std::string bad_loss_;     // what this rank found, before all know of it
  bool has_synced_ = false;  // the outermost loop, in this step
  double least_loss_ = 0, seconds_before_ = 0, epoch_seconds_before_ = 0;
  Clock::time_point begin_, epoch_begin_;
};

}  // namespace tandem::train

#include "run_steps.h"
