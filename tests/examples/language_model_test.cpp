// language_model on small texts as users run it: perplexity, sampling, a killed run that goes on to the same bits, and
// what they get for what is wrong. The task inside: language_task_test.cpp.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include <nlohmann/json.hpp>

#include <tandem/core/file.h>
#include <tandem/core/safetensors.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/tiny_text.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const std::string kRun = "/1-clip_norm-lookahead-adam-seed4/";

/// 60 lines of characters, lookahead in mid-cycle at most checkpoints.
std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out) {
  write_file(folder / "a.txt", tiny_text(60, 1));
  return {"--dataset",
          "text",
          "--data",
          (folder / "a.txt").string(),
          "--model",
          "char-lstm",
          "--out",
          (folder / out).string(),
          "--epochs",
          "6",
          "--batch",
          "8",
          "--bptt",
          "16",
          "--seed",
          "4",
          "--threads",
          "1",
          "--checkpoint-every",
          "1",
          "--optimizer",
          "clip_norm(lookahead(adam(lr=4e-3), k=3, alpha=0.5), max=1)"};
}

}  // namespace

TEST_CASE("characters: killed and resumed, a run ends with the same model; it is evaluated and sampled") {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = command(folder, "whole");
  const Finished whole = run_child("language_model", arguments);
  INFO(whole.error);
  REQUIRE(whole.code == 0);
  const auto summary = nlohmann::json::parse(read_file(folder / "whole/summary.json"));
  CHECK(summary["metric"] == "test_loss");
  const double loss = summary["runs"][0]["final"]["test_loss"];
  CHECK(loss < std::log(18.0));  // of guessing among the letters
  CHECK(summary["runs"][0]["final"]["perplexity"].get<double>() == doctest::Approx(std::exp(loss)));

  arguments[7] = (folder / "killed").string();
  {
    Child child("language_model", arguments, "/nonexistent", {});
    while (!child.has_ended() && !std::filesystem::exists(folder / ("killed" + kRun + "checkpoint.safetensors")))
      ::usleep(1000);
    child.send(SIGKILL);
    REQUIRE(child.wait().code == 128 + SIGKILL);
  }
  const Finished resumed = run_child("language_model", {"--resume", (folder / "killed").string()});
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.output.find("from step") != std::string::npos);
  CHECK(read_file(folder / ("killed" + kRun + "model.safetensors")) ==
        read_file(folder / ("whole" + kRun + "model.safetensors")));
  CHECK(read_file(folder / "killed/metrics.csv") == read_file(folder / "whole/metrics.csv"));

  const Finished evaluated =
      run_child("language_model", {"--evaluate", (folder / "whole").string(), "--data", (folder / "a.txt").string()});
  INFO(evaluated.error);
  CHECK(evaluated.code == 0);
  CHECK(evaluated.output.find("perplexity") != std::string::npos);
  CHECK(evaluated.output.find(" training and ") != std::string::npos);  // the text of training: its last tenth

  write_file(folder / "b.txt", tiny_text(10, 9));
  write_tiny_ptb(folder / "ptb");
  const auto evaluate = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--evaluate", (folder / "whole").string()});
    return run_child("language_model", more);
  };
  const auto printed = [&](const Finished& end, const std::string& part) {
    INFO(end.error);
    CHECK(end.code == 0);
    CHECK(end.output.find(part) != std::string::npos);
  };
  const std::string count = std::to_string(tiny_text(10, 9).size());
  printed(evaluate({"--data", (folder / "b.txt").string()}), "text: " + count + " test characters, the whole text");
  printed(evaluate({"--data", (folder / "ptb").string()}), "test_loss and perplexity are of the validation part");
  const auto refused = [&](std::vector<std::string> more, const std::string& part) {
    const Finished end = evaluate(std::move(more));
    INFO(end.error);
    CHECK(end.code == 2);
    CHECK(std::count(end.error.begin(), end.error.end(), '\n') == 1);
    CHECK(end.error.find(part) != std::string::npos);
  };
  refused({}, "--dataset text: the file is not given");
  refused({"--bptt", "0"}, "--bptt: is 0, must be at least 1");
  refused({"--batch", "4"}, "--batch: is for training; leave it out");
  refused({"--seed", "4"}, "--seed: is for training and for --sample; leave it out");
  refused({"--sample", "4", "--data", "x"}, "--data: is not used by --sample; leave it out");
  refused({"--temperature", "2"}, "--temperature: is for --sample; leave it out");

  const std::vector<std::string> sample = {"--evaluate", (folder / "whole").string(), "--sample", "40", "--seed", "7"};
  const Finished one = run_child("language_model", sample), two = run_child("language_model", sample);
  INFO(one.error);
  CHECK(one.code == 0);
  CHECK(one.output == two.output);
  CHECK(one.output.size() > 40);
  const Finished both = evaluate({"--sample", "40", "--seed", "8", "--seed", "7"});
  CHECK(both.output.find(", seed 8:\n") <
        both.output.find(", seed 7:\n" + one.output.substr(one.output.find('\n') + 1)));
  CHECK(both.output.find(", seed 7:\n" + one.output.substr(one.output.find('\n') + 1)) != std::string::npos);

  SUBCASE("a vocabulary of another checkpoint") {
    const std::filesystem::path file = folder / ("whole" + kRun + "model.safetensors");
    Safetensors model = load_safetensors(file);
    const auto error_of = [&] {
      save_safetensors(file, model.arrays, model.metadata);
      const Finished finished = run_child("language_model", sample);
      CHECK(finished.code == 1);
      CHECK(std::count(finished.error.begin(), finished.error.end(), '\n') == 1);
      return finished.last_error_line();
    };
    model.metadata["vocabulary"] += "extra\n";
    CHECK(error_of().find("the vocabulary is that of another checkpoint") != std::string::npos);
    model.metadata.erase("vocabulary");
    CHECK(error_of().find("not a language model: it has no vocabulary") != std::string::npos);
  }
}

TEST_CASE("a resumed run is compared with what it really used, not with the defaults of another model") {
  const TemporaryFolder folder;
  const std::string text = (folder / "a.txt").string();
  write_file(text, tiny_text(100, 1));
  const Finished run = run_child("language_model", {"--data", text, "--model", "char-lstm", "--steps", "1", "--out",
                                                    (folder / "run").string(), "--optimizer", "sgd(lr=1)"});
  INFO(run.error);
  REQUIRE(run.code == 0);
  const auto resume = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--resume", (folder / "run").string()});
    const Finished end = run_child("language_model", more);
    return end.code == 0 ? "accepted" : std::to_string(end.code) + " " + end.last_error_line();
  };
  CHECK(resume({"--batch", "32", "--bptt", "64", "--tokens", "characters", "--epochs", "8"}) == "accepted");
  CHECK(resume({"--seed", "0", "--dataset", "text", "--optimizer", "sgd(lr=1)"}) == "accepted");
  CHECK(resume({"--batch", "20"}) == "2 --resume: --batch is 20, the run has 32; leave it out");
  CHECK(resume({"--bptt", "35"}) == "2 --resume: --bptt is 35, the run has 64; leave it out");
  CHECK(resume({"--tokens", "words"}) == "2 --resume: --tokens is words, the run has characters; leave it out");
  CHECK(resume({"--seed", "1"}) == "2 --resume: --seed is 1, the run has 0; leave it out");
  std::filesystem::rename(text, folder / "moved.txt");
  CHECK(resume({}) == "1 --data: there is no such file or folder: " + text +
                          "; the run began elsewhere: give its new path with --data");
  CHECK(resume({"--data", (folder / "moved.txt").string()}) == "accepted");
}

TEST_CASE("words: Penn Treebank's files, perplexity on validation each epoch, on the test part at the end") {
  const TemporaryFolder folder;
  write_tiny_ptb(folder / "ptb");
  const Finished finished = run_child("language_model",
                                      {"--model", "lstm-small", "--batch", "4", "--epochs", "2", "--bptt", "8", "--out",
                                       (folder / "run").string(), "--optimizer", "clip_norm(sgd(lr=8), max=0.25)"},
                                      folder.path().string());
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.find("test_loss and perplexity are of the validation part") != std::string::npos);
  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  CHECK(summary["dataset"] == "ptb");
  CHECK(summary["metric"] == "perplexity");
  const double test = summary["runs"][0]["final"]["test_perplexity"];
  CHECK(test > 1);
  CHECK(test < 14);  // words in the vocabulary
  CHECK(read_file(folder / "run/metrics.csv").find("train_loss,test_loss,perplexity\n") != std::string::npos);
}

TEST_CASE("--help says what each model takes by default, and nothing of what no model here has") {
  const std::string help = run_child("language_model", {"--help"}).output;
  for (const char* part : {"--data PATH", "lstm-small 20, lstm-medium 35, lstm-large 35, awd-lstm 70, char-lstm 64",
                           "--bptt N=the model's own", "Seed of weights, dropout and --sample"})
    CHECK(help.find(part) != std::string::npos);
  CHECK(help.find("--reestimate") == std::string::npos);
}

TEST_CASE("bad input ends with one clear line") {
  const TemporaryFolder folder;
  const auto refuse = [&](int code, std::vector<std::string> arguments, const std::string& part) {
    arguments.insert(arguments.end(), {"--epochs", "1", "--out", (folder / "run").string()});
    const Finished finished = run_child("language_model", arguments);
    INFO(finished.error);
    CHECK(finished.code == code);
    CHECK(std::count(finished.error.begin(), finished.error.end(), '\n') == 1);
    CHECK(finished.last_error_line().find(part) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
  };
  const auto text = [&](const std::string& content) {
    write_file(folder / "b.txt", content);
    return (folder / "b.txt").string();
  };
  refuse(1, {}, "ptb: file is missing: looked for /nonexistent/ptb/ptb.train.txt");
  refuse(1, {"--data", text("caf\xE9 au lait\n")}, "b.txt: not UTF-8: line 1, byte offset 3: 0xE9");
  refuse(1, {"--data", text("")}, "b.txt: the file is empty");
  refuse(1, {"--data", text("once\n")}, "b.txt: the text is too short to be divided");
  refuse(1, {"--data", "shakespear.txt"}, "--data: there is no such file or folder: shakespear.txt");
  refuse(1, {"--data", text(tiny_text(30, 1)), "--batch", "1000"}, "language batches: the text is too short: ");
  refuse(2, {"--dataset", "text"}, "--dataset text: the file is not given");
  refuse(2, {"--tokens", "character"}, "--tokens: \"character\" is not known");
  refuse(2, {"--model", "lstm-tiny"}, "--model: \"lstm-tiny\" is not known");
  refuse(2, {"--bptt", "0"}, "--bptt: is 0, must be at least 1");
  refuse(2, {"--sample", "5"}, "--sample: needs a trained model");
  refuse(2, {"--temperature", "-1"}, "--temperature: is -1, must be finite and at least 0");
  refuse(2, {"--temperature", "inf"}, "--temperature: is inf, must be finite and at least 0");
  refuse(2, {"--reestimate", "3"}, "language_model: the command line is wrong: ");
}
