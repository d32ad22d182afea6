// translate on a made-up language, as a child process: comparison, checkpoints, evaluation, translating standard input,
// and what is refused.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <tandem/autograd/record.h>
#include <tandem/core/file.h>
#include <tandem/core/generator.h>
#include <tandem/data/bleu.h>
#include <tandem/data/byte_pairs.h>
#include <tandem/data/parallel_text.h>

#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/common/translation_task.h"
#include "examples/common/translator.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// `count` pairs of a language whose words are translated one by one.
void write_pairs(const TemporaryFolder& folder, int count) {
  const char* const from[] = {"eins", "zwei", "drei", "vier", "rot", "gross"};
  const char* const to[] = {"one", "two", "three", "four", "red", "big"};
  Generator random(1);
  std::string source, target;
  for (int i = 0; i < count; ++i) {
    const std::int64_t words = 2 + random.below(4);
    for (std::int64_t j = 0; j < words; ++j) {
      const auto word = static_cast<std::size_t>(random.below(6));
      source += std::string(j == 0 ? "" : " ") + from[word];
      target += std::string(j == 0 ? "" : " ") + to[word];
    }
    source += ".\n";
    target += ".\n";
  }
  write_file(folder / "a.de", source);
  write_file(folder / "a.en", target);
}

std::vector<std::string> data_of(const TemporaryFolder& folder) {
  return {"--source", (folder / "a.de").string(), "--target", (folder / "a.en").string()};
}

std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out, const std::string& epochs) {
  std::vector<std::string> all = data_of(folder);
  all.insert(all.end(), {"--model", "transformer-tiny", "--out", (folder / out).string(), "--epochs", epochs,
                         "--tokens", "128", "--merges", "60", "--dropout", "0", "--threads", "1"});
  return all;
}

Finished translate_lines(const TemporaryFolder& folder, const std::string& model, const std::string& lines) {
  write_file(folder / "input", lines);
  return run_child("translate", {"--evaluate", (folder / model).string(), "--translate", "--threads", "1"},
                   "/nonexistent", {.input = (folder / "input").string()});
}

/// Each line for itself.
std::vector<std::string> translate_one_by_one(const examples::Translator& translator,
                                              const std::vector<std::string>& lines) {
  std::vector<std::string> all;
  for (const std::string& line : lines)
    all.push_back(translator.translate({translator.encode(line, "test", 1)}).front());
  return all;
}

}  // namespace

TEST_CASE("translate: learns, compares by BLEU, evaluates, and translates line by line with its own subwords alone") {
  const TemporaryFolder folder;
  write_pairs(folder, 600);
  std::vector<std::string> arguments = command(folder, "run", "6");
  arguments.insert(arguments.end(), {"--optimizer", "adam(lr=4e-3 * inverse_sqrt(warmup=0.1))", "--optimizer",
                                     "lookahead(adam(lr=4e-3 * linear(end=0.3)), k=5, alpha=0.5)"});
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
    CHECK(bleu >= 0);
    CHECK(bleu <= 100);
  }

  std::vector<std::string> evaluation = data_of(folder);
  evaluation.insert(evaluation.end(), {"--evaluate", (folder / "run").string(), "--threads", "1"});
  const Finished evaluated = run_child("translate", evaluation);
  INFO(evaluated.error);
  CHECK(evaluated.code == 0);
  CHECK(evaluated.output.find("files: a.de -> a.en, 30 test pairs") != std::string::npos);
  CHECK(evaluated.output.find("measured on the test set") != std::string::npos);
  CHECK(evaluated.output.find("bleu ") != std::string::npos);

  const std::string model = "run/1-adam-seed0";
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

    const examples::Translator translator = examples::load_translator(folder / model);
    const NoGradGuard no_grad;
    const std::vector<std::string> lines = translate_one_by_one(translator, test.source);
    const double bleu = corpus_bleu(lines, test.target);
    CHECK(bleu > 5);
    examples::Translation task({{}, {}, test},
                               {.model = "transformer-tiny", .is_test = true, .codes = translator.codes});
    CHECK(examples::value_of(task.evaluate(*translator.model), "bleu") == bleu);

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
  refuse({}, "--source: is missing: the model was trained on two files");
  refuse({"--data", folder.path().string()}, "--from: is missing: the model was trained on two files, here a.de");
  refuse({"--dropout", "0"}, "--dropout: is for training; leave it out");
  refuse({"--translate", "--from", "de"}, "--from: is not used by --translate; leave it out");

  BytePairs::learn({"another text, of another checkpoint"}).save(folder / "run/byte_pairs.txt");
  refused(translate_lines(folder, model, "eins\n"), 1, "the subwords are those of another checkpoint");
  refused(run_child("translate", evaluation), 1, "the subwords are those of another checkpoint");
  std::filesystem::remove(folder / "run/byte_pairs.txt");
  refused(translate_lines(folder, model, "eins\n"), 1, "the subwords of the model are missing");
}

TEST_CASE("translate: a resumed run ends with the bits of one that was not interrupted") {
  const TemporaryFolder folder;
  write_pairs(folder, 200);
  std::vector<std::string> arguments = command(folder, "whole", "4");
  arguments.insert(arguments.end(),
                   {"--optimizer", "lookahead(adam(lr=2e-3), k=3, alpha=0.5)", "--checkpoint-every", "1"});
  *(std::find(arguments.begin(), arguments.end(), "--dropout") + 1) = "0.2";  // its generator is resumed too
  REQUIRE(run_child("translate", arguments).code == 0);
  *(std::find(arguments.begin(), arguments.end(), "--out") + 1) = (folder / "stopped").string();
  const std::string run = "1-lookahead-adam-seed0/";
  {
    Child child("translate", arguments, "/nonexistent", {});
    while (!child.has_ended() && !std::filesystem::exists(folder / ("stopped/" + run + "checkpoint.safetensors")))
      ::usleep(1000);
    child.send(SIGKILL);
    REQUIRE(child.wait().code == 128 + SIGKILL);
  }
  const Finished resumed = run_child("translate", {"--resume", (folder / "stopped").string()});
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.output.find("from step ") != std::string::npos);
  CHECK(resumed.output.find("from step 0 ") == std::string::npos);
  CHECK(read_file(folder / ("stopped/" + run + "model.safetensors")) ==
        read_file(folder / ("whole/" + run + "model.safetensors")));
  CHECK(read_file(folder / "stopped/byte_pairs.txt") == read_file(folder / "whole/byte_pairs.txt"));
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

TEST_CASE("the batches of translation depend on seed and number alone") {
  const TemporaryFolder folder;
  write_pairs(folder, 100);
  const TranslationSets sets = hold_out(read_parallel_text(folder / "a.de", folder / "a.en"));
  examples::TranslationOptions options{.dataset = "files", .model = "transformer-tiny", .tokens = 64, .dropout = 0};
  examples::Translation first(sets, options), second(sets, options);
  const auto model = first.make_model(5);
  first.start_epoch(7, 1, 0);
  for (int i = 0; i < 3; ++i) REQUIRE(first.next_batch());
  const double loss = first.loss(*model).item();
  second.start_epoch(7, 1, 2);
  REQUIRE(second.next_batch());
  CHECK(second.loss(*second.make_model(5)).item() == loss);
  CHECK(second.examples() == first.examples());
  second.start_epoch(8, 1, 2);
  REQUIRE(second.next_batch());
  CHECK(second.loss(*model).item() != loss);
}
