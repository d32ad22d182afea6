// --fork: runs that begin with another run's state, on the batches that follow it.
#include <doctest/doctest.h>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/train/fork.h>

#include "core/temporary_folder.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::string only_run(const std::filesystem::path& folder) { return train::read_manifest(folder).planned.at(0).name; }

/// The lines of a log behind a step.
std::string lines_after(const std::string& log, std::int64_t step) {
  std::string kept = log.substr(0, log.find('\n') + 1);
  for (std::size_t at = kept.size(); at < log.size();) {
    const std::size_t end = log.find('\n', at) + 1;
    if (std::stoll(log.substr(at)) > step) kept += log.substr(at, end - at);
    at = end;
  }
  return kept;
}

/// 15 steps, stopped after `stop`, with a checkpoint there.
void stop_at(const TemporaryFolder& folder, const std::string& out, std::int64_t stop, std::vector<std::string> more) {
  more.insert(more.end(), {"--out", (folder / out).string(), "--checkpoint-every", "1"});
  CHECK_THROWS_AS(own_training(more, {.throw_after = stop}), std::runtime_error);
}

void check_error(const std::vector<std::string>& arguments, const std::string& message) {
  std::string what;
  try {
    own_training(arguments);
  } catch (const UsageError& error) {
    what = error.what();
  }
  CHECK(what.find(message) == 0);
  if (what.find(message) != 0) MESSAGE(what);
}

}  // namespace

TEST_CASE("a fork with the run's own rule takes the run's own further steps, bit for bit") {
  for (const char* rule :
       {"lookahead(adam(lr=0.01), k=4, alpha=0.5, state=interpolate)", "momentum(lr=0.02, momentum=0.9)",
        "lookahead(lookahead(clip_norm(adam(lr=0.01), max=1), k=2), k=3, state=reset)"}) {
    CAPTURE(rule);
    const TemporaryFolder folder;
    const std::vector<std::string> options = {
        "--optimizer", rule, "--seed", "7", "--schedule", "cosine(warmup=0.2)", "--evaluate-every", "2"};
    std::vector<std::string> whole = options;
    whole.insert(whole.end(), {"--out", (folder / "whole").string(), "--checkpoint-every", "1"});
    REQUIRE(own_training(whole) == 0);
    const std::string run = only_run(folder / "whole");
    const Checkpoint expected = load_checkpoint(folder / "whole" / run / "checkpoint.safetensors");
    for (const std::int64_t stop : {1, 5, 7}) {
      CAPTURE(stop);
      const std::string source = "stopped" + std::to_string(stop), fork = "fork" + std::to_string(stop);
      stop_at(folder, source, stop, options);
      REQUIRE(own_training({"--fork", (folder / source).string(), "--out", (folder / fork).string()}) == 0);
      REQUIRE(only_run(folder / fork) == run);
      const std::filesystem::path there = folder / fork / run;
      CHECK(to_string(compare_trees(expected.arrays, load_checkpoint(there / "checkpoint.safetensors").arrays)) ==
            "equal");
      for (const char* log : {"steps.csv", "metrics.csv"})
        CHECK(read_file(there / log) == lines_after(read_file(folder / "whole" / run / log), stop));
    }
  }
}

TEST_CASE("several rules from one state: the manifest says so, a resume needs the run no more") {
  const TemporaryFolder folder;
  stop_at(folder, "source", 6, {"--optimizer", "adam(lr=0.01)", "--seed", "2"});
  const std::string source = (folder / "source").string();
  const std::vector<std::string> options = {"--fork",
                                            source,
                                            "--optimizer",
                                            "adam(lr=0.02)",
                                            "--optimizer",
                                            "lookahead(adam(lr=0.01), k=3)",
                                            "--optimizer",
                                            "momentum(lr=0.01, momentum=0.9)",
                                            "--checkpoint-every",
                                            "1"};
  const auto with_out = [&](const std::string& out) {
    std::vector<std::string> all = options;
    all.insert(all.end(), {"--out", (folder / out).string()});
    return all;
  };
  REQUIRE(own_training(with_out("whole")) == 0);
  const train::Manifest manifest = train::read_manifest(folder / "whole");
  CHECK(manifest.options.back() == std::pair<std::string, std::string>("fork", source + "/" + only_run(source) + "@6"));
  REQUIRE(train::fork_of(manifest));
  CHECK(train::fork_of(manifest)->step == 6);
  CHECK_FALSE(train::fork_of(train::read_manifest(source)));
  REQUIRE(manifest.planned.size() == 3);
  CHECK(manifest.planned[0].seed == 2);
  CHECK_THROWS_AS(own_training(with_out("stopped"), {.throw_after = 12}), std::runtime_error);  // in the second run
  std::filesystem::remove_all(source);
  REQUIRE(own_training({"--resume", (folder / "stopped").string()}) == 0);
  for (const train::PlannedRun& run : manifest.planned) {
    const std::filesystem::path a = folder / "whole" / run.name, b = folder / "stopped" / run.name;
    CHECK(read_file(a / "model.safetensors") == read_file(b / "model.safetensors"));
    CHECK(read_file(a / "steps.csv") == read_file(b / "steps.csv"));
    CHECK(read_file(a / "steps.csv").find("\n7,") != std::string::npos);
    CHECK(read_file(a / "steps.csv").find("\n6,") == std::string::npos);
  }
  CHECK(read_file(folder / "whole/report.html").find("@6") != std::string::npos);
  SUBCASE("a fork of a fork, and a folder that is replaced by runs which begin with it") {
    REQUIRE(own_training({"--fork", (folder / "whole" / manifest.planned[1].name).string() + "@15", "--epochs", "4",
                          "--out", (folder / "whole").string(), "--overwrite"}) == 0);
    const train::Manifest second = train::read_manifest(folder / "whole");
    CHECK(second.planned.size() == 1);
    CHECK(second.total_steps == 20);
    CHECK(second.planned[0].optimizer == manifest.planned[1].optimizer);
    REQUIRE(own_training({"--out", (folder / "whole").string(), "--overwrite"}) == 0);
    CHECK_FALSE(std::filesystem::exists(folder / "whole/fork.safetensors"));
  }
}

TEST_CASE("a fork says what it has taken over and what is fresh") {
  const nn::Sequential model{nn::layer<nn::Linear>({.in = 4, .out = 8})};
  CHECK(train::to_string(ForkReport{{"step", "groups/0/inner/exp_avg/0.weight", "groups/0/inner/exp_avg/0.bias"},
                                    {"groups/0/slow/0.weight", "groups/0/slow/0.bias", "groups/0/counter"}},
                         model) ==
        "taken: weights, buffers, random states, step count, inner/exp_avg; fresh: slow, counter");
}

TEST_CASE("what a fork may not have otherwise, and runs that are none, are said before the first step") {
  const TemporaryFolder folder;
  stop_at(folder, "source", 6, {"--accumulate", "1"});
  const std::string source = (folder / "source").string(), out = (folder / "out").string();
  const std::string run = source + "/" + only_run(source);
  const auto fork = [&](const std::string& from, std::vector<std::string> more) {
    more.insert(more.end(), {"--fork", from, "--out", out});
    return more;
  };
  check_error(fork(source, {"--batch", "3"}), "--fork: --batch is 3, the run has 128; leave it out");
  check_error(fork(source, {"--seed", "9"}), "--fork: --seed is 9, the run has 0; leave it out");
  check_error(fork(source, {"--find-lr"}), "--fork: --find-lr is true, the run has false; leave it out");
  check_error(fork(source, {"--steps", "6"}),
              "--fork: the run ends at step 6: it begins at step 6; give more --epochs");
  check_error(fork(source + "@9", {}),
              "--fork: the run has no step 9: lookahead-adam-seed0 has the steps 1 to 6 so far, of 15");
  check_error(fork(source + "@x", {}), "--fork: \"x\" is not a step: " + source + "@x; RUN@STEP, or RUN");
  check_error(fork(run + "x", {}), "--fork: " + source + " has no run \"lookahead-adam-seed0x\"");
  check_error(fork(folder.path().string(), {}), "--fork: " + folder.path().string() + " is not a run");
  CHECK_FALSE(std::filesystem::exists(out));
}
