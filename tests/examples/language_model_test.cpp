// language_model on small texts as users run it: perplexity, sampling, a killed run that goes on to the same bits, and
// what they get for what is wrong. The parts inside: language_text_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/io/safetensors.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/kill_at_step.h"
#include "examples/tiny_text.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const std::string kRun = "/la-seed4/";

/// 60 lines of characters, lookahead in mid-cycle at most checkpoints.
std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out) {
  write_file(folder / "a.txt", tiny_text(60, 1));
  std::vector<std::string> all = {"--data", (folder / "a.txt").string(), "--out", (folder / out).string()};
  all.insert(all.end(), {"--model", "char-lstm", "--epochs", "6", "--batch", "8", "--bptt", "16", "--seed", "4"});
  all.insert(all.end(), {"--threads", "1", "--checkpoint-every", "1", "--optimizer",
                         "la=clip_norm(lookahead(adam(lr=4e-3), k=3, alpha=0.5), max=1)"});
  return all;
}

void check_printed(const Finished& end, const std::string& part) {
  INFO(end.error);
  INFO(end.output);
  CHECK(end.code == 0);
  CHECK(end.output.find(part) != std::string::npos);
}

void check_refused(const Finished& end, int code, const std::string& part) {
  INFO(end.error);
  CHECK(end.code == code);
  CHECK(std::count(end.error.begin(), end.error.end(), '\n') == 1);
  CHECK(end.error.find(part) != std::string::npos);
}

double largest_difference(const Array& a, const Array& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  REQUIRE(x.size() == y.size());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

}  // namespace

TEST_CASE("characters: killed and resumed, a run ends with the same model; it is evaluated and sampled") {
  const TemporaryFolder folder;
  const std::string whole_folder = (folder / "whole").string();
  const Finished whole = run_child("language_model", command(folder, "whole"));
  INFO(whole.error);
  REQUIRE(whole.code == 0);
  const auto summary = nlohmann::json::parse(read_file(folder / "whole/summary.json"));
  CHECK(summary["metric"] == "test_loss");
  const double loss = summary["runs"][0]["final"]["test_loss"];
  CHECK(loss < std::log(18.0));  // of guessing among the letters
  CHECK(summary["runs"][0]["final"]["perplexity"].get<double>() == doctest::Approx(std::exp(loss)));

  const std::int64_t step = kill_at_step("language_model", command(folder, "killed"), folder / ("killed" + kRun), 4);
  const Finished resumed = run_child("language_model", {"--resume", (folder / "killed").string()});
  check_printed(resumed, "from step " + std::to_string(step) + " ");
  for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv"})
    CHECK(read_file(folder / ("killed" + kRun + file)) == read_file(folder / ("whole" + kRun + file)));
  CHECK(read_file(folder / "killed/metrics.csv") == read_file(folder / "whole/metrics.csv"));

  write_file(folder / "b.txt", tiny_text(10, 9));
  write_tiny_ptb(folder / "ptb");
  const auto use = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--evaluate", whole_folder});
    return run_child("language_model", more);
  };
  const Finished evaluated = use({});  // the run's own text: its last tenth
  check_printed(evaluated, " training and ");
  check_printed(evaluated, fmt::format("la-seed4  test_loss {:.4f}  perplexity {:.4f}\n", loss, std::exp(loss)));
  CHECK(use({"--data", (folder / "a.txt").string()}).output == evaluated.output);
  const auto json = nlohmann::json::parse(use({"--json"}).output);
  CHECK(json["la-seed4"]["test_loss"].get<double>() == doctest::Approx(loss).epsilon(1e-6));
  const std::string count = std::to_string(tiny_text(10, 9).size());
  check_printed(use({"--data", (folder / "b.txt").string()}), "text: " + count + " test characters, the whole text");
  const Finished ptb = use({"--data", (folder / "ptb").string()});
  check_printed(ptb, "test_loss and perplexity are of the validation part");
  check_printed(ptb, "test_perplexity ");
  check_refused(use({"--dataset", "ptb"}), 1, "ptb: file is missing: looked for /nonexistent/ptb/ptb.train.txt");
  check_refused(use({"--bptt", "0"}), 2, "--bptt: is 0, must be at least 1");
  check_refused(use({"--batch", "4"}), 2, "--batch: is for training; leave it out");
  check_refused(use({"--patience", "4"}), 2, "--patience: is for training; leave it out");
  check_refused(use({"--seed", "4"}), 2, "--seed: is for training and for --sample; leave it out");
  check_refused(use({"--sample", "4", "--data", "x"}), 2, "--data: is not used by --sample; leave it out");
  check_refused(use({"--temperature", "2"}), 2, "--temperature: is for --sample; leave it out");
  check_refused(use({"--prompt", "the"}), 2, "--prompt: is for --sample; leave it out");

  std::filesystem::remove(folder / "a.txt");  // sampling needs the model file alone
  check_refused(use({}), 1, "--data: there is no such file or folder");
  const auto text_of = [](const Finished& end) {
    INFO(end.error);
    CHECK(end.code == 0);
    return end.output.substr(end.output.find(":\n") + 2);
  };
  const Finished one = use({"--sample", "40", "--seed", "7"});
  CHECK(text_of(one) == text_of(use({"--sample", "40", "--seed", "7"})));
  CHECK(text_of(one).size() >= 41);
  CHECK(text_of(one) != text_of(use({"--sample", "40", "--seed", "8"})));
  const Finished both = use({"--sample", "40", "--seed", "8", "--seed", "7"});
  CHECK(both.output.find(", seed 8:\n") < both.output.find(", seed 7:\n" + text_of(one)));
  CHECK(both.output.find(", seed 7:\n" + text_of(one)) != std::string::npos);
  const Finished prompted = use({"--sample", "20", "--prompt", "the c"});
  CHECK(text_of(prompted).starts_with("the c"));
  CHECK(text_of(prompted).size() >= 26);

  const std::filesystem::path file = folder / "alone.safetensors";
  std::filesystem::copy_file(folder / ("whole" + kRun + "model.safetensors"), file);
  const std::vector<std::string> alone = {"--init", file.string(), "--sample", "40", "--seed", "7"};
  CHECK(text_of(run_child("language_model", alone)) == text_of(one));

  Safetensors model = load_safetensors(file);
  model.metadata.erase("tandem.vocabulary");
  save_safetensors(file, model.arrays, model.metadata);
  check_refused(run_child("language_model", alone), 1, "not a language model of this program: it has no vocabulary");
}

TEST_CASE("--init: a run goes on from a model's weights with its vocabulary, on any text") {
  const TemporaryFolder folder;
  const std::string first = (folder / "a.txt").string(), second = (folder / "b.txt").string();
  write_file(first, tiny_text(60, 1));
  write_file(second, "zebras\n" + tiny_text(60, 2));  // a letter that the model does not know
  const auto train = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.end(), {"--epochs", "2", "--batch", "8", "--bptt", "16", "--optimizer", "a=sgd(lr=1e-30)", "--out",
                             (folder / out).string()});
    return run_child("language_model", more);
  };
  REQUIRE(train("one", {"--data", first, "--model", "char-lstm"}).code == 0);
  const std::string model = (folder / "one/a-seed0/model.safetensors").string();
  const Finished again = train("two", {"--data", second, "--init", model});
  check_printed(again, "model      char-lstm");
  const Safetensors one = load_safetensors(model), two = load_safetensors(folder / "two/a-seed0/model.safetensors");
  CHECK(one.metadata.at("tandem.vocabulary") == two.metadata.at("tandem.vocabulary"));
  for (std::size_t i = 0; i < one.arrays.size(); ++i)
    CHECK(largest_difference(one.arrays[i].array, two.arrays[i].array) < 1e-20);
  check_refused(train("three", {"--data", second, "--init", model, "--tokens", "words"}), 2,
                "--tokens: is words, the model of --init knows characters");
  CHECK_FALSE(std::filesystem::exists(folder / "three"));
}

TEST_CASE("--validation holds tokens out, --patience ends a run that gets no better") {
  const TemporaryFolder folder;
  const std::string text = (folder / "a.txt").string();
  write_file(text, tiny_text(60, 1));
  const Finished end = run_child("language_model", {"--data",
                                                    text,
                                                    "--model",
                                                    "char-lstm",
                                                    "--epochs",
                                                    "5",
                                                    "--batch",
                                                    "8",
                                                    "--bptt",
                                                    "16",
                                                    "--validation",
                                                    "200",
                                                    "--patience",
                                                    "2",
                                                    "--evaluate-every",
                                                    "1",
                                                    "--optimizer",
                                                    "a=sgd(lr=1e-30)",
                                                    "--out",
                                                    (folder / "run").string()});
  check_printed(end, ", 200 validation and ");
  const auto run = nlohmann::json::parse(read_file(folder / "run/a-seed0/run.json"));
  CHECK(run["status"] == "stopped");
  CHECK(run["step"] == 3);  // the first evaluation, and two that are no better
  CHECK(run["final"].contains("test_perplexity"));
  CHECK(std::filesystem::exists(folder / "run/a-seed0/best.safetensors"));
  check_printed(run_child("language_model", {"--evaluate", (folder / "run").string()}), ", 200 validation and ");
}

TEST_CASE("a perplexity beyond all numbers is a value; the run goes on") {
  const TemporaryFolder folder;
  const std::string text = (folder / "a.txt").string();
  write_file(text, tiny_text(30, 1));
  const Finished end = run_child(
      "language_model", {"--data", text, "--model", "lstm-small", "--batch", "2", "--bptt", "8", "--steps", "3",
                         "--evaluate-every", "1", "--optimizer", "a=sgd(lr=1e5)", "--out", (folder / "run").string()});
  INFO(end.error);
  CHECK(end.code == 0);
  const auto run = nlohmann::json::parse(read_file(folder / "run/a-seed0/run.json"));
  CHECK(run["status"] == "finished");
  CHECK(run["final"]["perplexity"] == "inf");
  CHECK(run["final"]["test_loss"].get<double>() > 710);
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
  refuse(2, {"--sample", "100000000"}, "--sample: is 100000000, must be at most 10000000");
  refuse(2, {"--json"}, "--json: is for models that are trained already: ");
  refuse(2, {"--data", text(tiny_text(30, 1)), "--validation", "100000"}, "--validation: is 100000, must be in [2, ");
  refuse(2, {"--data", "caf\xE9.txt"}, "language_model: an argument is not UTF-8");
  refuse(2, {"--temperature", "-1"}, "--temperature: is -1, must be finite and at least 0");
  refuse(2, {"--temperature", "inf"}, "--temperature: is inf, must be finite and at least 0");
  refuse(2, {"--reestimate", "3"}, "language_model: there is no option --reestimate; ");
}
