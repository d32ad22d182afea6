// Comparison: every optimizer of the command line with every seed, as runs that a program walks through: same initial
// weights and same batches for equal seeds. Runs that are over are skipped; a run that diverges is a result. With
// --jobs the runs go on in processes of their own, which this process waits for.
//
//   train::Comparison comparison(line, {.dataset = "mine", .metric = "test_loss", .batches_per_epoch = 100, ...});
//   for (train::Run& run : comparison) { ... }       // run.h
//   return comparison.finish();                      // tables, summary, report
//
// Not here: one run (run.h), its files (run_folder.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "program.h"
#include "run.h"
#include "run_folder.h"

namespace tandem::train {

class Comparison {
 public:
  /// Reads the optimizers, makes or opens the run folder, and writes its manifest. `experiment.data_checksum` must be
  /// that of the run that is resumed. Throws UsageError for what the command line has wrong, Error else: before the
  /// first step.
  Comparison(const CommandLine& line, const Experiment& experiment);
  ~Comparison();
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Run;
    using difference_type = std::ptrdiff_t;
    using pointer = Run*;
    using reference = Run&;

    Run& operator*() const { return *comparison_->run_; }
    Iterator& operator++() {
      comparison_->end_run();
      comparison_->begin_run();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !comparison_->run_; }

   private:
    friend class Comparison;
    explicit Iterator(Comparison* comparison) : comparison_(comparison) { comparison_->begin_run(); }
    Comparison* comparison_;
  };
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  /// What the report shows of the data, above the runs' pictures of the same figure: the bytes of a PNG file, which
  /// finish() writes.
  void picture(const std::string& figure, const std::string& row, const std::string& png, const std::string& caption);
  /// This process does one run of --jobs: what is said of all runs is said by the process that started it.
  bool is_one_of_jobs() const { return only_.has_value(); }
  /// The folder: a program may write there what all its models need.
  const std::filesystem::path& folder() const { return folder_->path(); }

  /// Writes summary, joined logs and report; prints the tables and where everything is. The exit code: done, or
  /// kExitDiverged when no run came to its end.
  int finish();

 private:
  friend class Iterator;
  void plan();
  void run_jobs();
  void begin_run();
  void end_run();
  bool is_over(const PlannedRun& run) const;
  bool is_over_here(const PlannedRun& run) const;
  bool is_other_rank() const;
  void check_ranks(const Experiment& experiment) const;
  void check_resumed_ranks(int before) const;
  void open_scratch();
  int write_results();
  void announce(const nn::Module& model);
  void print_start() const;
  void print_profile() const;

  const CommandLine& line_;
  const Options& options_;
  InterruptGuard interrupts_;          // ends last: a rank that is told again to end first removes what it wrote
  std::unique_ptr<RunFolder> folder_;  // none in the process of a single run, whose parent has it
  Manifest manifest_;
  std::vector<Rule> rules_;          // of each planned run, with --schedule
  std::optional<std::size_t> only_;  // in the process of a single run: which
  std::filesystem::path path_;
  std::string resume_command_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Run> run_;
  std::vector<Picture> pictures_;
  std::size_t next_ = 0;
  bool is_announced_ = false, is_extended_ = false;
};

}  // namespace tandem::train
