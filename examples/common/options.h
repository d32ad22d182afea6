// The command line that all programs share (CLI11 inside options.cpp). A program gives its defaults, adds options of
// its own, and gets back Options that have been checked. Not here: what a SPEC means (optim/parse.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tandem/data/catalog.h>

namespace tandem::examples {

struct Options {
  std::string program;                  ///< its name, for the run folder and summary.json
  std::string executable;               ///< argv[0], quoted for a shell
  std::vector<std::string> arguments;   ///< the others, as given
  std::string command;                  ///< the whole command line, quoted for a shell
  std::string data;                     ///< empty: the default folder of the data set
  std::string dataset;                  ///< empty: the program chooses
  std::int64_t size = 0;                ///< side of the pictures of a folder; 0: as they are
  bool skip_bad_files = false;          ///< of a folder
  std::vector<std::string> optimizers;  ///< specs; at least one
  std::string schedule = "constant";
  std::string model;
  std::int64_t epochs = 1;
  std::int64_t steps = 0;  ///< end each run after so many; 0: after `epochs`
  std::int64_t batch = 128;
  std::vector<std::uint64_t> seeds = {0};
  int threads = 0;                    ///< 0: as many as there are processors
  std::filesystem::path out;          ///< empty: runs/PROGRAM-TIME
  std::int64_t reestimate = 0;        ///< batches that batch-norm statistics are gathered from anew; 0: they stay
  std::int64_t checkpoint_every = 0;  ///< steps between checkpoints; also at every epoch's end
  std::filesystem::path resume;    ///< not empty: go on with this run folder; what else is here is what it began with
  std::filesystem::path evaluate;  ///< not empty: only evaluate the models of this run folder
  bool quiet = false;
};

/// What open_dataset needs of them.
OpenOptions open_options(const Options& options);

/// One argument as a shell would need it.
std::string shell_quoted(const std::string& argument);

/// What a program offers for --dataset and --model, for help and for suggestions; empty: the option does not exist.
/// --size and --skip-bad-files come with the data set "folder".
struct Choices {
  std::vector<std::string> datasets;
  std::vector<std::string> models;
  bool has_batch_norm = true;  ///< a model of the program: --reestimate exists
};

/// What --help says of an option. Empty: as it is for every program.
struct OptionHelp {
  std::string text = {};
  std::string type = {};           ///< "FILE"
  std::string default_value = {};  ///< in brackets, where it is not one value
};

class CommandLine {
 public:
  CommandLine(const std::string& description, const Options& defaults, const Choices& choices);
  ~CommandLine();

  /// An option of this program: add("--cutout", cutout, "side of the square that is cut out, in pixels; 0: none").
  void add(const std::string& name, std::int64_t& value, const std::string& help);
  void add(const std::string& name, double& value, const std::string& help);
  /// One of `choices`; anything else is a UsageError of parse() that suggests the nearest.
  void add(const std::string& name, std::string& value, const std::string& help,
           const std::vector<std::string>& choices);
  void add(const std::string& name, std::string& value, const std::string& help);
  /// An option without a value, which sets `value`.
  void add(const std::string& name, bool& value, const std::string& help);
  /// What --help says here of an option of all programs.
  void describe(const std::string& name, const OptionHelp& help);
  /// What parse() calls once the arguments are read, to fill in what they left open: `f` may ask is_given() and change
  /// the Options and the values of add(). With --resume it completes the first command line, and with that its result
  /// the others are compared.
  void complete(std::function<void(Options&)> f) { complete_ = std::move(f); }

  /// Reads the arguments; with --resume, also those that the run folder began with, which the others may not
  /// contradict. False when --help was asked for and has been printed. Throws UsageError.
  bool parse(int argc, char** argv);
  const Options& options() const { return options_; }
  /// After parse(): whether the option stood on the command line, with --resume on the first one.
  bool is_given(const std::string& name) const;
  /// After parse(): throws UsageError "NAME: WHY; leave it out" for the first of these that is given, since it would
  /// have no effect.
  void refuse(const std::vector<std::string>& names, const std::string& why) const;

 private:
  struct Parser;  // CLI11
  struct Choice {
    std::string name;
    const std::string* value;
    std::vector<std::string> choices;
  };
  void check_names() const;
  void check() const;
  void finish();
  void read(const std::vector<std::string>& arguments);
  void adopt_resumed();

  Options options_, defaults_;
  Choices choices_;
  std::vector<Choice> own_choices_;             // of the options of this program
  std::vector<std::function<void()>> restore_;  // each gives a value of add() its default again
  std::function<void(Options&)> complete_;
  std::string precision_ = "f32";
  std::unique_ptr<Parser> parser_;
};

}  // namespace tandem::examples
