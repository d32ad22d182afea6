// --resume of a whole program: killed at random moments again and again, it ends with the bits of a run that nothing
// interrupted. And Ctrl-C, a full disk, damaged checkpoints, options that contradict.
#include <doctest/doctest.h>

#include <unistd.h>

#include <csignal>

#include <tandem/core/checkpoint.h>
#include <tandem/core/file.h>
#include "examples/child_process.h"
#include "examples/kill_at_step.h"
#include "examples/tiny_cifar.h"

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr int kKills = 16;
const std::string kRun = "lookahead-momentum-seed3";

/// 120 pictures in batches of 8: 15 steps an epoch; cycles of 4 and checkpoints every 2 do not fall together with it.
std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out, int epochs) {
  return {"--data",
          (folder / "data").string(),
          "--out",
          (folder / out).string(),
          "--epochs",
          std::to_string(epochs),
          "--batch",
          "8",
          "--seed",
          "3",
          "--threads",
          "1",
          "--checkpoint-every",
          "2",
          "--cutout",
          "4",
          "--optimizer",
          "lookahead(momentum(lr=0.02, momentum=0.9), k=4, alpha=0.5)"};
}

std::vector<std::string> resume(const TemporaryFolder& folder, const std::string& out) {
  return {"--resume", (folder / out).string()};
}

std::filesystem::path checkpoint_of(const TemporaryFolder& folder, const std::string& out) {
  return folder / (out + "/" + kRun + "/checkpoint.safetensors");
}

/// The step that a resumed program says it goes on from; -1 when it says none.
int resumed_step(const std::string& output) {
  const std::string mark = "resume     " + kRun + " from step ";
  const std::size_t at = output.find(mark);
  return at == std::string::npos ? -1 : std::stoi(output.substr(at + mark.size()));
}

void check_equal(const TemporaryFolder& folder, const std::string& a, const std::string& b) {
  const Checkpoint first = load_checkpoint(checkpoint_of(folder, a)),
                   second = load_checkpoint(checkpoint_of(folder, b));
  CHECK(first.arrays.size() > 200);
  CHECK(to_string(compare_trees(first.arrays, second.arrays)) == "equal");
  CHECK(first.number("step") == second.number("step"));
  CHECK(read_file(folder / (a + "/" + kRun + "/model.safetensors")) ==
        read_file(folder / (b + "/" + kRun + "/model.safetensors")));
  CHECK(read_file(folder / (a + "/metrics.csv")) == read_file(folder / (b + "/metrics.csv")));
}

}  // namespace

TEST_CASE("killed again and again, a training program resumes to the same bits") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  constexpr int kEpochs = 10;
  REQUIRE(run_child("cifar", command(folder, "whole", kEpochs)).code == 0);
  // Killed as soon as a checkpoint of a known step is there, at whatever it does then: 150 steps, so it never ends
  // before.
  std::int64_t step = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const auto arguments = kill == 0 ? command(folder, "killed", kEpochs) : resume(folder, "killed");
    const std::int64_t left = kill_at_step("cifar", arguments, folder / ("killed/" + kRun), step + 4);
    CHECK(left >= step + 4);
    step = left;
  }
  const Finished end = run_child("cifar", resume(folder, "killed"));
  INFO(end.error);
  REQUIRE(end.code == 0);
  CHECK(resumed_step(end.output) > 0);
  check_equal(folder, "whole", "killed");

  SUBCASE("a finished run has nothing left to do and says the same again") {
    const std::string before = read_file(folder / "killed/summary.json");
    CHECK(run_child("cifar", resume(folder, "killed")).code == 0);
    CHECK(read_file(folder / "killed/metrics.csv") == read_file(folder / "whole/metrics.csv"));
    CHECK(read_file(folder / "killed/summary.json") == before);
  }
}

TEST_CASE("a signal: the step is finished and saved, the command that goes on is printed; 128 + its number") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  REQUIRE(run_child("cifar", command(folder, "whole", 4)).code == 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(signal);
    const std::string out = "run" + std::to_string(signal);
    Child child("cifar", command(folder, out, 4), "/nonexistent", {});
    while (!child.has_ended() && !std::filesystem::exists(checkpoint_of(folder, out))) ::usleep(1000);
    child.send(signal);
    const Finished finished = child.wait();
    REQUIRE(finished.code == 128 + signal);
    const std::string line = finished.last_error_line();
    CHECK(line.rfind("interrupted after step ", 0) == 0);
    CHECK(line.ends_with("cifar --resume " + (folder / out).string()));
    const auto step = load_checkpoint(checkpoint_of(folder, out)).number("step");
    CHECK(line.find("after step " + std::to_string(step) + " of") != std::string::npos);
    const Finished end = run_child("cifar", resume(folder, out));
    REQUIRE(end.code == 0);
    CHECK(resumed_step(end.output) == step);
    check_equal(folder, "whole", out);
  }
}

TEST_CASE("what must not be resumed is refused with one line, and nothing changes") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  {
    Child child("cifar", command(folder, "run", 4), "/nonexistent", {});
    while (!child.has_ended() && !std::filesystem::exists(previous_checkpoint(checkpoint_of(folder, "run"))))
      ::usleep(1000);
    child.send(SIGINT);
    REQUIRE(child.wait().code == 130);
  }
  const auto path = checkpoint_of(folder, "run");
  const std::string good = read_file(path), table = read_file(folder / "run/manifest.json");
  const auto refused = [&](std::vector<std::string> more, int code) {
    std::vector<std::string> words = resume(folder, "run");
    words.insert(words.end(), more.begin(), more.end());
    const Finished finished = run_child("cifar", words);
    CHECK(finished.code == code);
    CHECK(read_file(folder / "run/manifest.json") == table);
    return finished.last_error_line();
  };
  CHECK(refused({"--batch", "64"}, 2) == "--resume: --batch is 64, the run has 8; leave it out");
  CHECK(refused({"--epochs", "9"}, 2).find("a run whose schedule ends cannot become longer") != std::string::npos);
  CHECK(refused({"--epochs", "3"}, 2).find("the run cannot become shorter") != std::string::npos);
  CHECK(refused({"--model", "resnet32"}, 2) == "--resume: --model is resnet32, the run has resnet20; leave it out");

  const auto before = previous_checkpoint(path);
  const std::string good_before = read_file(before);
  write_file(before, good_before.substr(0, 100));  // else it would be gone on with
  write_file(path, good.substr(0, good.size() / 2));
  CHECK(refused({}, 1).find(path.string()) != std::string::npos);
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 4);
  write_file(path, flipped);
  CHECK(refused({}, 1).find("damaged: checksum is ") != std::string::npos);
  CHECK(refused({}, 1).find(before.filename().string()) != std::string::npos);
  save_safetensors(path, {{"x", Array::zeros({3})}});
  CHECK(refused({}, 1).find("not a checkpoint") != std::string::npos);
  write_file(before, good_before);
  Checkpoint foreign = load_checkpoint(before);
  foreign.metadata["run"] = "2-adam-seed0";
  save_checkpoint(path, foreign);
  CHECK(refused({}, 1).find("a checkpoint of something else: run is 2-adam-seed0, here " + kRun) != std::string::npos);
  write_file(path, good);

  write_file(folder / "data/data_batch_1.bin", tiny_cifar_records(24, 77));
  CHECK(refused({}, 1).find("the training data are not those of this run") != std::string::npos);
  CHECK(run_child("cifar", {"--resume", (folder / "data").string()}).last_error_line() ==
        (folder / "data").string() + ": not a run folder: it has no manifest.json; name the folder that --out named");
}

TEST_CASE("a disk that is full while saving: a clear error, and the checkpoint before goes on") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  REQUIRE(run_child("cifar", command(folder, "whole", 4)).code == 0);
  {
    Child child("cifar", command(folder, "run", 4), "/nonexistent", {});
    while (!child.has_ended() && !std::filesystem::exists(checkpoint_of(folder, "run"))) ::usleep(1000);
    child.send(SIGINT);
    REQUIRE(child.wait().code == 130);
  }
  const std::string good = read_file(checkpoint_of(folder, "run"));
  const Finished full = run_child("cifar", resume(folder, "run"), "/nonexistent", {.file_bytes = 100'000});
  CHECK(full.code == 1);
  CHECK(full.last_error_line().find("checkpoint.safetensors") != std::string::npos);
  CHECK(full.last_error_line().find("File too large") != std::string::npos);
  CHECK(read_file(checkpoint_of(folder, "run")) == good);
  REQUIRE(run_child("cifar", resume(folder, "run")).code == 0);
  check_equal(folder, "whole", "run");
}
