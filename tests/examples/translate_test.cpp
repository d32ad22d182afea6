// translate on a made-up language, as a child process: comparison, checkpoints, evaluation, translating standard input,
// and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <tandem/autograd/record.h>
#include <tandem/core/io/file.h>
#include <tandem/data/bleu.h>
#include <tandem/data/byte_pairs.h>
#include <tandem/data/parallel_text.h>
#include <tandem/nn/model_file.h>
#include <tandem/nn/models/make_model.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/kill_at_step.h"
#include "examples/tiny_pairs.h"
#include "examples/translate/pairs.h"
#include "examples/translate/translator.h"
#include "nn/error_text.h"

using namespace tandem;
using namespace tandem::test;

namespace {

Finished translate_lines(const TemporaryFolder& folder, const std::string& model, const std::string& lines) {
  write_file(folder / "input", lines);
  return run_child("translate", {"--evaluate", (folder / model).string(), "--translate", "--threads", "1"},
                   "/nonexistent", {.input = (folder / "input").string()});
}

/// Each line for itself.
std::vector<std::string> translate_one_by_one(const translation::Translator& translator,
                                              const std::vector<std::string>& lines) {
  std::vector<std::string> all;
  for (const std::string& line : lines)
    all.push_back(translator.translate({translator.encode(line, "test", 1)}).front());
  return all;
}

double largest_difference(const Array& a, const Array& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  REQUIRE(x.size() == y.size());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

}  // namespace

TEST_CASE("translate: learns, compares by BLEU, evaluates, and translates line by line with its own subwords alone") {
  const TemporaryFolder folder;
  write_pairs(folder, 600);
  std::vector<std::string> arguments = command(folder, "run", "6");
  arguments.insert(arguments.end(), {"--optimizer", "adam=adam(lr=4e-3 * inverse_sqrt(warmup=0.1))", "--optimizer",
                                     "la=lookahead(adam(lr=4e-3 * linear(end=0.3)), k=5, alpha=0.5)"});
  const Finished finished = run_child("translate", arguments);
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output.find("files: a.de -> a.en, 540 training, 30 validation and 30 test pairs") !=
        std::string::npos);
  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  CHECK(summary["metric"] == "bleu");
  REQUIRE(summary["runs"].size() == 2);
  for (const auto& run : summary["runs"]) {
    const double loss = run["final"]["test_loss"], perplexity = run["final"]["perplexity"], bleu = run["final"]["bleu"];
    CHECK(perplexity == doctest::Approx(std::exp(loss)));
    CHECK(loss < 2.5);  // untrained: log of about eighty subwords
    CHECK(bleu > 1);    // untrained: no word in common
  }

  const std::vector<std::string> evaluation = {"--evaluate", (folder / "run").string(), "--threads", "1"};
  const Finished evaluated = run_child("translate", evaluation);  // the run's own files
  INFO(evaluated.error);
  CHECK(evaluated.code == 0);
  CHECK(evaluated.output.find("files: a.de -> a.en, 30 test pairs") != std::string::npos);
  CHECK(evaluated.output.find("measured on the test set") != std::string::npos);
  CHECK(evaluated.output.find("\nadam-seed0  test_loss ") != std::string::npos);
  CHECK(evaluated.output.find("\nla-seed0  test_loss ") != std::string::npos);
  std::vector<std::string> again = data_of(folder);
  again.insert(again.end(), evaluation.begin(), evaluation.end());
  CHECK(run_child("translate", again).output == evaluated.output);

  const std::string model = "run/adam-seed0";
  SUBCASE("a test set of one's own: all its lines, and the BLEU of the lines translated one by one") {
    const std::string source = (folder / "test_2016_flickr.de").string(),
                      target = (folder / "test_2016_flickr.en").string();
    const ParallelText all = read_parallel_text(folder / "a.de", folder / "a.en");
    ParallelText test{source, target, {}, {}};
    for (std::size_t i = 0; i < 50; ++i) {  // of the training lines too: what was learned by heart is translated
      test.source.push_back(all.source[i * 10]);
      test.target.push_back(all.target[i * 10]);
    }
    write_file(source, fmt::format("{}\n", fmt::join(test.source, "\n")));
    write_file(target, fmt::format("{}\n", fmt::join(test.target, "\n")));

    const translation::Translator translator = translation::load_translator(folder / (model + "/model.safetensors"));
    const NoGradGuard no_grad;
    const std::vector<std::string> lines = translate_one_by_one(translator, test.source);
    const double bleu = corpus_bleu(lines, test.target);
    CHECK(bleu > 5);
    SentenceBatches batches = translation::test_batches(translation::encode(test, translator.codes, 64), 64);
    CHECK(report::value_of(translation::measure(*translator.model, batches, test, translator.codes, 4), "bleu") ==
          bleu);

    std::vector<std::vector<std::int64_t>> sentences;
    for (const std::string& line : test.source) sentences.push_back(translator.encode(line, "test", 1));
    CHECK(translator.translate(sentences) == lines);
    CHECK(std::set<std::size_t>{sentences[0].size(), sentences[1].size(), sentences[2].size(), sentences[3].size()}
              .size() > 1);
    CHECK(std::set<std::string>(lines.begin(), lines.end()).size() > 10);

    const auto printed = [&](std::vector<std::string> more, const std::string& part) {
      more.insert(more.end(), {"--evaluate", (folder / model).string(), "--threads", "1"});
      const Finished end = run_child("translate", more);
      INFO(end.error);
      CHECK(end.code == 0);
      CHECK(end.output.find(part) != std::string::npos);
      CHECK(end.output.find(fmt::format("bleu {:.4f}", bleu)) != std::string::npos);
    };
    printed({"--source", source, "--target", target},
            "files: test_2016_flickr.de -> test_2016_flickr.en, 50 test pairs");
    printed({"--data", folder.path().string(), "--from", "de", "--to", "en"}, "multi30k: de -> en, 50 test pairs");
  }

  const Finished translated = translate_lines(folder, model, "eins zwei.\n\nrot drei vier.\n");
  INFO(translated.error);
  REQUIRE(translated.code == 0);
  CHECK(std::count(translated.output.begin(), translated.output.end(), '\n') == 3);
  CHECK(translated.output.find("\n\n") != std::string::npos);
  CHECK(translate_lines(folder, model + "/.",
                        "\xEF\xBB\xBF"
                        "eins zwei.\n\nrot drei vier.\n")
            .output == translated.output);

  const auto refused = [&](const Finished& end, int code, const std::string& part) {
    INFO(end.error);
    CHECK(end.code == code);
    CHECK(std::count(end.error.begin(), end.error.end(), '\n') == 1);
    CHECK(end.error.find(part) != std::string::npos);
  };
  std::string longer = "eins.\n";
  for (int i = 0; i < 80; ++i) longer += "eins ";
  refused(translate_lines(folder, model, longer + "\n"), 1,
          "standard input:2: a sentence of 81 tokens is longer than the model's 64 positions");
  const Finished bad = translate_lines(folder, model, "eins zwei.\n\n\xff\neins\n");
  refused(bad, 1, "standard input:3: not UTF-8");
  CHECK(bad.output == translated.output.substr(0, translated.output.find("\n\n") + 2));
  refused(translate_lines(folder, "run", "eins\n"), 2, "has 2 models, one can translate");
  refused(run_child("translate", {"--translate"}), 2, "--translate: needs a model");
  const auto refuse = [&](std::vector<std::string> more, const std::string& part) {
    more.insert(more.end(), {"--evaluate", (folder / model).string()});
    refused(run_child("translate", more), 2, part);
  };
  refuse({"--data", folder.path().string()}, "--from: is missing: the model was trained on two files, here a.de");
  refuse({"--dropout", "0"}, "--dropout: is for training; leave it out");
  refuse({"--translate", "--from", "de"}, "--from: is not used by --translate; leave it out");

  refuse({"--json", "--translate"}, "--json: is not used by --translate; leave it out");
  refuse({"--source", source_of(folder)}, "--target: is missing; two files of parallel lines go together");

  const std::filesystem::path alone = folder / "alone.safetensors";  // without its run and without its data
  std::filesystem::copy_file(folder / (model + "/model.safetensors"), alone);
  std::filesystem::remove(folder / "a.de");
  write_file(folder / "input", "eins zwei.\n\nrot drei vier.\n");
  const std::vector<std::string> by_file = {"--init", alone.string(), "--translate", "--threads", "1"};
  const Child::Limits input{.input = (folder / "input").string()};
  CHECK(run_child("translate", by_file, "/nonexistent", input).output == translated.output);
  Safetensors content = load_safetensors(alone);
  content.metadata.erase("tandem.vocabulary");
  save_safetensors(alone, content.arrays, content.metadata);
  refused(run_child("translate", by_file, "/nonexistent", input), 1, "not a model of translate: it has no subwords");
}

TEST_CASE("translate: a killed run goes on to the bits of one that was not, also where its files have moved") {
  const TemporaryFolder folder;
  write_pairs(folder, 200);
  std::vector<std::string> arguments = command(folder, "whole", "4");
  arguments.insert(arguments.end(),
                   {"--optimizer", "la=lookahead(adam(lr=2e-3), k=3, alpha=0.5)", "--checkpoint-every", "1"});
  *(std::find(arguments.begin(), arguments.end(), "--dropout") + 1) = "0.2";  // its generator is resumed too
  REQUIRE(run_child("translate", arguments).code == 0);
  *(std::find(arguments.begin(), arguments.end(), "--out") + 1) = (folder / "killed").string();
  const std::int64_t step = kill_at_step("translate", arguments, folder / "killed/la-seed0", 4);
  const std::vector<std::string> resume = {"--resume", (folder / "killed").string()};
  std::filesystem::rename(folder / "a.de", folder / "moved.de");
  const Finished missing = run_child("translate", resume);
  CHECK(missing.code == 1);
  CHECK(missing.error.find("a.de") != std::string::npos);
  std::vector<std::string> moved = resume;
  moved.insert(moved.end(), {"--source", (folder / "moved.de").string()});
  const Finished resumed = run_child("translate", moved);
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.output.find("from step " + std::to_string(step) + " ") != std::string::npos);
  for (const char* file : {"model.safetensors", "metrics.csv", "steps.csv"})
    CHECK(read_file(folder / ("killed/la-seed0/" + std::string(file))) ==
          read_file(folder / ("whole/la-seed0/" + std::string(file))));
}

TEST_CASE("translate: --init goes on in the subwords of its model") {
  const TemporaryFolder folder;
  write_pairs(folder, 100);
  std::vector<std::string> arguments = command(folder, "one", "1");
  arguments.insert(arguments.end(), {"--optimizer", "a=sgd(lr=1e-30)"});
  REQUIRE(run_child("translate", arguments).code == 0);
  const std::string model = (folder / "one/a-seed0/model.safetensors").string();
  for (const char* file : {"a.de", "a.en"}) write_file(folder / file, "zebras.\n" + read_file(folder / file));
  std::vector<std::string> more = data_of(folder);
  more.insert(more.end(), {"--init", model, "--out", (folder / "two").string(), "--epochs", "1", "--tokens", "128",
                           "--optimizer", "a=sgd(lr=1e-30)"});
  const Finished end = run_child("translate", more);
  INFO(end.error);
  REQUIRE(end.code == 0);
  const Safetensors one = load_safetensors(model), two = load_safetensors(folder / "two/a-seed0/model.safetensors");
  CHECK(one.metadata.at("tandem.vocabulary") == two.metadata.at("tandem.vocabulary"));
  REQUIRE(one.arrays.size() == two.arrays.size());
  for (std::size_t i = 0; i < one.arrays.size(); ++i)
    CHECK(largest_difference(one.arrays[i].array, two.arrays[i].array) < 1e-20);
  more.insert(more.end(), {"--merges", "10"});
  CHECK(run_child("translate", more).error ==
        "--merges: is not used with --init: the subwords are its model's; leave it out\n");
}

TEST_CASE("translate: bad data and options end with one line, and leave nothing") {
  const TemporaryFolder folder;
  write_pairs(folder, 40);
  const std::string source = read_file(folder / "a.de"), target = read_file(folder / "a.en");
  const auto refused = [&](int code, const std::string& part, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = command(folder, "run", "1");
    for (std::size_t i = 0; i + 1 < more.size(); i += 2) {  // in place of the same option, which may not come twice
      const auto same = std::find(arguments.begin(), arguments.end(), more[i]);
      if (same != arguments.end()) arguments.erase(same, same + 2);
      arguments.insert(arguments.end(), {more[i], more[i + 1]});
    }
    const Finished end = run_child("translate", arguments);
    INFO(end.error);
    CHECK(end.code == code);
    CHECK(std::count(end.error.begin(), end.error.end(), '\n') == 1);
    CHECK(end.error.find(part) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
  };
  refused(2, "--merges: is -1, must be at least 0", {"--merges", "-1"});
  refused(2, "--dropout: is 1, must be in [0, 1)", {"--dropout", "1"});
  refused(2, "--dataset: is multi30k, but two files are given", {"--dataset", "multi30k"});
  refused(2, "--model", {"--model", "transformer-huge"});
  refused(2, "--data: is not used with --source and --target", {"--data", "x"});
  refused(2, "--beams: is for --evaluate", {"--beams", "2"});
  refused(2, "--beams: is 9223372036854775807, must be at most 1000", {"--beams", "9223372036854775807"});
  refused(2, "an argument is not UTF-8", {"--source", (folder / "t\xe9.de").string()});
  refused(2, "--tokens: is 3, a sentence alone has more: " + (folder / "a.de").string() + ":", {"--tokens", "3"});
  write_file(folder / "a.en", target + "more\n");
  refused(1, "a.en:41: this line has no counterpart");
  write_file(folder / "a.en", "\n" + target.substr(target.find('\n') + 1));
  refused(1, "a.en:1: an empty line");
  write_file(folder / "a.en", "\xc3(\n" + target.substr(target.find('\n') + 1));
  refused(1, "a.en: not UTF-8: line 1, byte offset");
  std::string longer;
  for (int i = 0; i < 100; ++i) longer += "one ";
  write_file(folder / "a.en", target.substr(0, target.find('\n') + 1) + longer + "\n" +
                                  target.substr(target.find('\n', target.find('\n') + 1) + 1));
  refused(1, "a.en:2: a sentence of ");
  const Finished missing = run_child("translate", {"--data", (folder / "none").string()});
  CHECK(missing.code == 1);
  CHECK(missing.error.find("train.de") != std::string::npos);
}

TEST_CASE("translation: a model of something else is refused") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "model.safetensors";
  const BytePairs codes = BytePairs::learn({"eins zwei", "one two"});
  const nn::Transformer model(translation::architecture("transformer-tiny", codes.size() + 1, 0));
  nn::save_model(file, model, translation::describe_model("transformer-tiny", codes, {}));
  CHECK(error_text([&] { translation::load_translator(file); }) ==
        fmt::format("{}: the subwords are those of another model: {}, the model has {}", file.string(), codes.size(),
                    codes.size() + 1));
  nn::save_model(file, *nn::make_model("resnet20"));
  CHECK(error_text([&] { translation::load_translator(file); }) ==
        file.string() + ": not a model that translates: it is \"resnet20\"");
}
