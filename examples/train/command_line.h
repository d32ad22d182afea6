// CommandLine: the options that all programs share (CLI11 inside command_line.cpp). A program gives its defaults, adds
// options of its own, and gets back Options that were checked. With --resume they come from the run folder's manifest,
// as they were resolved when the run began. Below: its optimizers as contestants. Not here: what a SPEC means
// (optim/parse.h), run folders (run_folder.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tandem/autograd/autocast.h>
#include <tandem/report/manifest.h>

namespace tandem::train {

struct Options {
  std::string program = {};     ///< its name, for the run folder and summary.json
  std::string data = {};        ///< empty: the default folder of the data set
  std::string dataset = {};     ///< empty: the program chooses, in CommandLine::complete
  std::int64_t size = 0;        ///< side of the pictures of a folder; 0: as they are
  bool skip_bad_files = false;  ///< of a folder
  std::vector<std::string> optimizers =
      {};  ///< specs, which may hold lists in braces (expand_optimizers); at least one
  std::string schedule = "constant";
  std::string model = {};
  std::int64_t epochs = 1;
  std::int64_t steps = 0;  ///< end each run after so many; 0: after `epochs`
  std::int64_t batch = 128;
  std::int64_t accumulate = 1;  ///< batches a step
  std::vector<std::uint64_t> seeds = {0};
  std::string precision = "f32";      ///< of products: "f32" or "bf16" (autograd/autocast.h)
  std::int64_t threads = 0;           ///< of all runs that go on at a time; 0: as many as there are processors
  std::int64_t jobs = 1;              ///< runs at a time, each with threads / jobs
  std::int64_t evaluate_every = 0;    ///< steps between evaluations; 0: about twenty a run. Also at every epoch's end
  std::int64_t log_every = 0;         ///< steps between lines of steps.csv; 0: 1, or more in a long run
  std::int64_t inner_steps = 0;       ///< steps in the middle of a run after each of which all weights are measured
  std::int64_t instruments = 0;       ///< steps from one measurement of the instruments to the next; 0: none
  bool profile = false;               ///< say where the time goes: profile.json and trace.json of each run
  std::int64_t checkpoint_every = 0;  ///< steps between checkpoints; also at every epoch's end
  std::int64_t validation = 0;        ///< examples held out of the training set; 0: the test set is watched
  std::int64_t patience = 0;          ///< end a run after so many evaluations without a better one; 0: never
  std::int64_t reestimate = 0;        ///< batches that batch-norm statistics are gathered from anew; 0: they stay
  std::filesystem::path init = {};    ///< a model file whose weights a run starts from; of a resumed run its own copy
  bool sync_batch_norm = false;       ///< with several ranks: batch norm over all of them
  bool new_head = false;              ///< with init: what does not fit keeps its initial values
  std::vector<std::string> freeze = {};   ///< patterns of parameters that are not trained: "conv1.*"
  bool find_lr = false;                   ///< the loss over a rising lr instead of a training
  std::filesystem::path out = {};         ///< empty: runs/PROGRAM-TIME; with predict: where its files go
  bool overwrite = false;                 ///< replace the run that lies in `out`
  std::filesystem::path resume = {};      ///< not empty: go on with this run folder
  std::string fork = {};                  ///< RUN[@STEP] whose state all runs start from; after parse() always RUN@STEP
  std::filesystem::path evaluate = {};    ///< not empty: only evaluate the models of this run folder
  std::vector<std::string> predict = {};  ///< files that a trained model is applied to
  bool json = false;                      ///< with evaluate or predict: one JSON object instead of lines
  bool quiet = false;
};

/// One argument as a shell would need it.
std::string shell_quoted(const std::string& argument);

/// What a program offers, for help and for suggestions. An empty list: the option does not exist.
struct Offers {
  std::vector<std::string> datasets = {};  ///< of --dataset; "folder" brings --size and --skip-bad-files
  std::vector<std::string> models = {};    ///< of --model
  bool batch_norm = false;                 ///< --reestimate
  bool validation = false;                 ///< --validation
  bool predict = false;                    ///< --predict
};

/// What --help says of an option. Empty: as it is for every program.
struct OptionHelp {
  std::string text = {};
  std::string type = {};           ///< "FILE"
  std::string default_value = {};  ///< in brackets, where it is not one value
};

class CommandLine {
 public:
  CommandLine(const std::string& description, const Options& defaults, const Offers& offers = {});
  ~CommandLine();

  /// An option of this program: add("--cutout", cutout, "side of the square that is cut out, in pixels; 0: none").
  /// Numbers are in [low, high]; anything else is a UsageError of parse().
  void add(const std::string& name, std::int64_t& value, const std::string& help, std::int64_t low = 0,
           std::int64_t high = 1'000'000'000);
  void add(const std::string& name, double& value, const std::string& help);
  /// One of `choices`; anything else is a UsageError of parse() that suggests the nearest.
  void add(const std::string& name, std::string& value, const std::string& help,
           const std::vector<std::string>& choices);
  void add(const std::string& name, std::string& value, const std::string& help);
  /// A file or folder: kept as an absolute path, no part of what makes two runs the same experiment, and another one
  /// may be given when a run is resumed.
  void add_path(const std::string& name, std::string& value, const std::string& help);
  /// An option without a value, which sets `value`.
  void add(const std::string& name, bool& value, const std::string& help);
  /// What --help says here of an option of all programs.
  void describe(const std::string& name, const OptionHelp& help);
  /// What parse() calls once the arguments are read, to fill in what they left open: `f` may ask is_given() and change
  /// the Options and the values of add(). A run that is resumed or evaluated has everything filled in already.
  void complete(std::function<void(Options&)> f) { complete_ = std::move(f); }

  /// Reads the arguments; with --resume, --evaluate and --fork, what the run folder's runs had, which --resume's and
  /// --fork's arguments may not contradict. False when --help was asked for and has been printed. Throws UsageError.
  /// From here on, as long as this object lives, this thread computes in --precision (autograd/autocast.h).
  bool parse(int argc, char** argv);
  const Options& options() const { return options_; }
  /// After parse(): whether the option stood on the command line (not: in the manifest).
  bool is_given(const std::string& name) const;
  /// After parse(): throws UsageError "NAME: WHY; leave it out" for the first of these that is given, since it would
  /// have no effect.
  void refuse(const std::vector<std::string>& names, const std::string& why) const;
  /// The same for every option of all programs that says how to train: "NAME: is for training; leave it out".
  void refuse_training_options() const;

  /// argv[0], quoted for a shell, and the whole command line.
  const std::string& executable() const { return executable_; }
  const std::string& command() const { return command_; }
  /// Every option that decides what is computed, with its value after complete(), as text, without dashes: what makes
  /// two runs the same experiment. Not: optimizers, seeds, paths, and what only changes how a run is shown or kept.
  std::vector<std::pair<std::string, std::string>> resolved() const;
  /// Arguments that give these Options again, whatever the defaults are then: what a manifest keeps.
  std::vector<std::string> resolved_arguments() const;
  /// What a process that does one run of this comparison needs beside the manifest: options of this call that a resumed
  /// run may have otherwise.
  std::vector<std::string> arguments_of_jobs() const;

 private:
  struct Parser;  // CLI11
  void add_shared(const Offers& offers);
  template <class T>
  void add_value(const std::string& name, T& value, const std::string& help, const char* type);
  void read(const std::vector<std::string>& arguments);
  void reset();
  void adopt(const std::filesystem::path& folder, bool is_resume);
  void adopt_fork();
  std::map<std::string, std::string> values(bool is_given_only) const;
  void check() const;
  bool is_path(const std::string& name) const;

  Options options_, defaults_;
  std::vector<std::function<void()>> checks_;
  std::vector<std::function<void()>> restore_;  // each gives a value of add() its default again
  std::vector<std::string> given_, paths_;
  std::function<void(Options&)> complete_;
  std::string executable_, command_;
  std::filesystem::path first_init_;  // --init as the run began with it, absolute
  std::unique_ptr<Parser> parser_;
  std::optional<AutocastScope> precision_;
};

/// One of the optimizers of a command line, lists in braces expanded; the text work is optim's (optim/sweep.h).
struct Contestant {
  std::string spec;   ///< one rule, without braces
  std::string name;   ///< that it was given; may be empty
  std::string label;  ///< "k=5 alpha=0.2", "lookahead(momentum)", or the name it was given
  std::vector<std::pair<std::string, std::string>> choices;  ///< of the lists in braces: axis and value
};

/// In the order of the command line, of lists the last one varying fastest. Throws UsageError for a spec that cannot be
/// read, and when two contestants are the same rule.
std::vector<Contestant> expand_optimizers(const std::vector<std::string>& specs);

/// Each list in braces once, with the values of all contestants that have it.
std::vector<report::SweepAxis> sweep_axes(const std::vector<Contestant>& contestants);

/// The name of a run and its folder: the label with '-' for what files should not have, and the seed:
/// "k=5-alpha=0.2-seed0".
std::string run_name(const std::string& label, std::uint64_t seed);

}  // namespace tandem::train
