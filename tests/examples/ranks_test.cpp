// Training programs under mpirun: as one process does, interrupted, with a rank that dies, and with what is wrong.
// Without MPI: what a program says that was asked for it.
#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/file.h>
#include "examples/child_process.h"
#include "examples/mpirun.h"
#include "examples/tiny_cifar.h"
#include "skip.h"
#include "train/environment_scope.h"

using namespace tandem;
using namespace tandem::test;

namespace {

using Words = std::vector<std::string>;

constexpr const char* kAveraged = "momentum(lr=0.02, momentum=0.9)";
constexpr const char* kDiloco =
    "outer_loop(adamw(lr=1e-3), momentum(lr=0.7, momentum=0.9, nesterov=true), k=4, workers)";
const std::string kCifar = std::string(TANDEM_BIN_DIR) + "/cifar";

Words ranks(int n, const Words& arguments) {
  Words all = {"--bind-to", "none", "-n", std::to_string(n), kCifar};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

Words command(const TemporaryFolder& folder, const std::string& out, const std::string& rule, const Words& more = {}) {
  Words all = {"--data",      (folder / "data").string(),
               "--out",       (folder / out).string(),
               "--epochs",    "2",
               "--batch",     "8",
               "--seed",      "3",
               "--threads",   "1",
               "--model",     "convnet",
               "--schedule",  "constant",
               "--optimizer", "r=" + rule};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

nlohmann::json read_json(const std::filesystem::path& path) { return nlohmann::json::parse(read_file(path)); }

double final_loss(const TemporaryFolder& folder, const std::string& out) {
  return read_json(folder / (out + "/summary.json"))["runs"][0]["final"]["test_loss"];
}

Checkpoint checkpoint(const TemporaryFolder& folder, const std::string& out) {
  return load_checkpoint(folder / (out + "/r-seed3/checkpoint.safetensors"));
}

/// The processes of a child's children.
std::vector<int> children_of(int process) {
  std::vector<int> all;
  std::ifstream list(fmt::format("/proc/{0}/task/{0}/children", process));
  for (int child = 0; list >> child;) all.push_back(child);
  return all;
}

/// At most 10 s: mpirun of OpenMPI 5 may end before its ranks.
void wait_for_end(const std::vector<int>& processes) {
  const auto is_there = [](int process) { return ::kill(process, 0) == 0; };
  for (int tries = 0; tries < 100 && std::any_of(processes.begin(), processes.end(), is_there); ++tries)
    ::usleep(100'000);
}

bool is_openmpi_5() { return run_child(kMpirun, {"--version"}).output.find("(Open MPI) 5") != std::string::npos; }

/// Whether a rank's folder is still in `temporary` 10 s later, when the last rank has ended.
bool leaves_scratch(const TemporaryFolder& temporary) {
  for (int tries = 0; tries < 100; ++tries, ::usleep(100'000)) {
    const std::filesystem::directory_iterator all(temporary.path());
    if (std::none_of(begin(all), end(all),
                     [](const auto& entry) { return entry.path().filename().string().starts_with("tandem-rank"); }))
      return false;
  }
  return true;
}

/// Temporary files of this process and its children there, apart from those of tests beside this one.
EnvironmentScope temporary_files_in(const TemporaryFolder& folder) {
  return EnvironmentScope({{"TMPDIR", folder.path().string()}});
}

}  // namespace

TEST_CASE("two and four ranks with batch norm over all train as one process does; rank 0 alone speaks and writes") {
  if (!has_mpi()) return skip("there is no MPI");
  const TemporaryFolder folder, temporary;
  const EnvironmentScope own = temporary_files_in(temporary);
  write_tiny_cifar10(folder / "data");
  const Finished alone = run_child("cifar", command(folder, "one", kAveraged, {"--steps", "7"}));
  REQUIRE(alone.code == 0);
  for (const int n : {2, 4}) {
    CAPTURE(n);
    const std::string out = fmt::format("ranks{}", n);
    const Finished end =
        run_child(kMpirun, ranks(n, command(folder, out, kAveraged, {"--steps", "7", "--sync-batch-norm"})));
    CAPTURE(end.error);
    REQUIRE(end.code == 0);
    CHECK(end.error.find("rank") == std::string::npos);
    CHECK(end.output.find(fmt::format("ranks      {}, each with a part of every batch", n)) != std::string::npos);
    CHECK(end.output.find("written:") == end.output.rfind("written:"));
    CHECK(final_loss(folder, out) == doctest::Approx(final_loss(folder, "one")).epsilon(1e-3));
    CHECK(read_json(folder / (out + "/manifest.json"))["ranks"] == n);
    const std::string steps = read_file(folder / (out + "/steps.csv"));
    CHECK(steps.starts_with("run,step,loss,lr,gradient_norm,update_norm,distance,alpha,synced,bytes,waited\n"));
  }
  CHECK_FALSE(leaves_scratch(temporary));
}

TEST_CASE("a rank that is killed in mid-epoch: one line, a checkpoint, and the same bits after the resume") {
  if (!has_mpi()) return skip("there is no MPI");
  const TemporaryFolder folder, temporary;
  const EnvironmentScope own = temporary_files_in(temporary);
  write_tiny_cifar10(folder / "data");
  const Words more = {"--checkpoint-every", "2"};
  for (const char* rule : {kAveraged, kDiloco}) {
    CAPTURE(rule);
    const std::string whole = rule == kDiloco ? "whole-loop" : "whole",
                      killed = rule == kDiloco ? "killed-loop" : "killed";
    REQUIRE(run_child(kMpirun, ranks(4, command(folder, whole, rule, more))).code == 0);
    const std::filesystem::path saved = folder / (killed + "/r-seed3/checkpoint.safetensors");
    {
      Child child(kMpirun, ranks(4, command(folder, killed, rule, more)), "/nonexistent", {});
      std::error_code ignored;
      while (!std::filesystem::exists(saved, ignored) || load_checkpoint(saved).number("step") < 6) {
        if (child.has_ended()) FAIL(child.wait().error);
        ::usleep(1000);
      }
      const std::vector<int> processes = children_of(child.process());
      REQUIRE(processes.size() == 4);
      ::kill(processes[2], SIGKILL);
      const Finished end = child.wait();
      wait_for_end(processes);
      CAPTURE(end.error);
      CHECK(end.code != 0);
      const std::string expected =
          fmt::format("workers: rank 2 has ended: process {}; go on with: mpirun -n 4 {} --resume {}", processes[2],
                      kCifar, (folder / killed).string());
      CHECK(last_line_of_ranks(end.error).ends_with(expected));  // beside rank 0's progress under OpenMPI 5
    }
    const std::int64_t step = load_checkpoint(saved).number("step");
    CHECK(step >= 6);
    CHECK(step < 30);
    const Finished resumed = run_child(kMpirun, ranks(4, {"--resume", (folder / killed).string()}));
    CAPTURE(resumed.error);
    REQUIRE(resumed.code == 0);
    CHECK_FALSE(leaves_scratch(temporary));  // what the killed one left neither
    const Checkpoint first = checkpoint(folder, whole), second = checkpoint(folder, killed);
    CHECK(to_string(compare_trees(first.arrays, second.arrays)) == "equal");
    CHECK(first.number("step") == second.number("step"));
    CHECK(read_file(folder / (whole + "/metrics.csv")) == read_file(folder / (killed + "/metrics.csv")));
    bool has_own_state = false;
    for (const NamedArray& entry : first.arrays) has_own_state = has_own_state || entry.name.starts_with("rank1/opt");
    CHECK(has_own_state == (rule == kDiloco));
  }
}

TEST_CASE("a trace has the steps, their backward, and sums that begin within it") {
  if (!has_mpi()) return skip("there is no MPI");
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  ::setenv("TANDEM_WORKERS_TRACE", (folder / "trace.json").c_str(), 1);
  const Finished end = run_child(kMpirun, ranks(2, command(folder, "out", kAveraged, {"--steps", "6"})));
  ::unsetenv("TANDEM_WORKERS_TRACE");
  CAPTURE(end.error);
  REQUIRE(end.code == 0);
  double begin = 0, stop = 0;
  int steps = 0, sums = 0, within = 0;
  const nlohmann::json trace = read_json(folder / "trace.json");
  for (const nlohmann::json& event : trace["traceEvents"]) {
    const std::string name = event["name"];
    if (name.starts_with("step ")) ++steps;
    if (name == "backward") begin = event["ts"], stop = begin + event["dur"].get<double>();
    if (name != "sum") continue;
    ++sums;
    const double at = event["ts"];
    if (at >= begin && at < stop) ++within;
  }
  CHECK(steps == 6);
  CHECK(sums >= 6 * 3);
  CHECK(within >= 6);
}

TEST_CASE("a request to end is one of all ranks: saved, and the command that goes on") {
  if (!has_mpi()) return skip("there is no MPI");
  for (const bool is_to_mpirun : {false, true}) {
    if (is_to_mpirun && is_openmpi_5()) continue;  // which kills its ranks then, without asking
    CAPTURE(is_to_mpirun);
    const TemporaryFolder folder, temporary;
    const EnvironmentScope own = temporary_files_in(temporary);
    write_tiny_cifar10(folder / "data");
    const std::filesystem::path saved = folder / "out/r-seed3/checkpoint.safetensors";
    // In seconds; else a loaded machine has one for a step and its checkpoint.
    const EnvironmentScope patience({{"OMPI_MCA_odls_base_sigkill_timeout", std::string("5")}});
    Words longer = command(folder, "out", kAveraged, {"--checkpoint-every", "3"});
    *std::next(std::find(longer.begin(), longer.end(), "--epochs")) = "500";
    Child child(kMpirun, ranks(2, longer), "/nonexistent", {});
    std::error_code ignored;
    while (!std::filesystem::exists(saved, ignored) || load_checkpoint(saved).number("step") < 3) {
      if (child.has_ended()) FAIL(child.wait().error);
      ::usleep(1000);
    }
    if (is_to_mpirun) {
      child.send(SIGTERM);
    } else {
      const std::vector<int> processes = children_of(child.process());
      REQUIRE(processes.size() == 2);
      ::kill(processes[1], SIGTERM);
    }
    const Finished end = child.wait();
    CAPTURE(end.error);
    CHECK(end.code != 0);
    CHECK(end.error.find("interrupted after step ") != std::string::npos);
    CHECK(end.error.find(fmt::format("saved; go on with: mpirun -n 2 {} --resume ", kCifar)) != std::string::npos);
    CHECK_FALSE(leaves_scratch(temporary));
  }
}

TEST_CASE("what is wrong with ranks is one clear line") {
  if (!has_mpi()) return skip("there is no MPI");
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  write_tiny_cifar10(folder / "other");
  write_file(folder / "other/data_batch_3.bin", tiny_cifar_records(24, 77));
  const auto says = [&](const Words& arguments) {
    const Finished end = run_child(kMpirun, arguments);
    CHECK(end.code != 0);
    return last_line_of_ranks(end.error);
  };
  CHECK(says(ranks(3, command(folder, "a", kAveraged))) ==
        "--batch: is 8, which 3 ranks do not divide; take a multiple of 3");
  CHECK(says(ranks(2, command(folder, "a", kAveraged, {"--find-lr"}))) ==
        "--find-lr: is for one rank: 2 ranks; start without mpirun");
  CHECK(says(ranks(2, command(folder, "a", kAveraged, {"--jobs", "2"}))) ==
        "--jobs: is for one rank: 2 ranks; leave it out");
  const auto pair = [&](const Words& first, const Words& second) {  // by the shell: mpirun's "A : B" ends 5.0.7
    const auto exec = [](const Words& arguments) {
      std::string text = fmt::format("exec '{}'", kCifar);
      for (const std::string& word : arguments) text += fmt::format(" '{}'", word);
      return text;
    };
    Words all = ranks(2, {"-c", fmt::format("test $OMPI_COMM_WORLD_RANK = 0 && {}; {}", exec(first), exec(second))});
    *std::find(all.begin(), all.end(), kCifar) = "/bin/sh";
    return all;
  };
  Words others = command(folder, "a", kAveraged);
  others[1] = (folder / "other").string();
  const std::string data = says(pair(command(folder, "a", kAveraged), others));
  CHECK(data.starts_with("workers: rank 1 has another checksum of the training set than rank 0: "));
  CHECK(data.ends_with("; --data says where it lies"));
  const std::string rules = says(pair(command(folder, "a", kAveraged), command(folder, "a", "sgd(lr=0.1)")));
  CHECK(rules.starts_with("workers: rank 1 has another command line than rank 0: "));
  CHECK(rules.ends_with("; give all the same"));

  REQUIRE(run_child(kMpirun, ranks(2, command(folder, "two", kAveraged))).code == 0);
  const Words resume = {"--resume", (folder / "two").string()};
  CHECK(says(ranks(4, resume)) ==
        "--resume: the run has another number of ranks: it began with 2, here are 4; start with mpirun -n 2");
  CHECK(run_child("cifar", resume).last_error_line() ==
        "--resume: the run has another number of ranks: it began with 2, here is 1; start with mpirun -n 2");
  CHECK_FALSE(std::filesystem::exists(folder / "a"));
}

TEST_CASE("a build without MPI says so when mpirun has started several") {
  if (has_mpi()) return skip("there is MPI");
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  ::setenv("OMPI_COMM_WORLD_RANK", "0", 1);
  ::setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  const Finished end = run_child("cifar", command(folder, "a", kAveraged));
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
  CHECK(end.code == 1);
  CHECK(
      end.last_error_line() ==
      "workers: this build has no MPI: mpirun has started 4 processes; install libopenmpi-dev and build anew, or start "
      "without mpirun");
}
