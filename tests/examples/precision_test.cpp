// --precision bf16 of whole programs: written down, evaluated and resumed to the same bits; on a processor without the
// instructions one warning, and the bits of f32.
#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include "examples/child_process.h"
#include "examples/kill_at_step.h"
#include "examples/tiny_cifar.h"
#include "examples/tiny_pairs.h"
#include "examples/tiny_text.h"

using namespace tandem;
using namespace tandem::test;

namespace {

using Words = std::vector<std::string>;

const std::string kRun = "/lookahead-momentum-seed3/";
const std::string kWarning = "autocast: this processor has no instructions for bf16";

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// 120 pictures in batches of 8, a checkpoint every two steps.
Words cifar_command(const TemporaryFolder& folder, const std::string& out, const std::string& precision) {
  return {"--data",
          (folder / "data").string(),
          "--out",
          (folder / out).string(),
          "--precision",
          precision,
          "--epochs",
          "2",
          "--batch",
          "8",
          "--seed",
          "3",
          "--threads",
          "1",
          "--checkpoint-every",
          "2",
          "--optimizer",
          "lookahead(momentum(lr=0.02, momentum=0.9), k=4, alpha=0.5)"};
}

std::string model_of(const TemporaryFolder& folder, const std::string& out) {
  return read_file(folder / (out + kRun + "model.safetensors"));
}

nlohmann::json summary_of(const TemporaryFolder& folder, const std::string& out) {
  return nlohmann::json::parse(read_file(folder / (out + "/summary.json")));
}

Finished run_well(const std::string& program, const Words& arguments) {
  Finished finished = run_child(program, arguments);
  INFO(program);
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  return finished;
}

/// oneDNN uses no instruction beyond this set while it lives.
class InstructionLimit {
 public:
  explicit InstructionLimit(const char* set) { ::setenv("DNNL_MAX_CPU_ISA", set, 1); }
  ~InstructionLimit() { ::unsetenv("DNNL_MAX_CPU_ISA"); }
  InstructionLimit(const InstructionLimit&) = delete;
  InstructionLimit& operator=(const InstructionLimit&) = delete;
};

}  // namespace

TEST_CASE("bf16 is written down, evaluated alike, and a killed run resumes to the same bits") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const Finished whole = run_well("cifar", cifar_command(folder, "whole", "bf16"));
  CHECK(whole.output.find("precision  bf16, 1 thread, ") != std::string::npos);
  const nlohmann::json summary = summary_of(folder, "whole");
  CHECK(summary["precision"] == "bf16");
  CHECK(summary["options"]["precision"] == "bf16");

  kill_at_step("cifar", cifar_command(folder, "killed", "bf16"), folder / ("killed" + kRun), 4);
  const Words resume = {"--resume", (folder / "killed").string()};
  const Finished refused = run_child("cifar", with(resume, {"--precision", "f32"}));
  CHECK(refused.code == 2);
  CHECK(refused.last_error_line().find("--precision is f32, the run has bf16") != std::string::npos);
  run_well("cifar", resume);
  CHECK(model_of(folder, "killed") == model_of(folder, "whole"));
  CHECK(read_file(folder / "killed/metrics.csv") == read_file(folder / "whole/metrics.csv"));

  const Words evaluation = {"--evaluate", (folder / "whole").string(), "--threads", "1", "--json"};
  const auto measured = nlohmann::json::parse(run_well("cifar", evaluation).output);
  const std::string loss = summary["runs"][0]["final"]["test_loss"].dump();
  CHECK(measured.dump().find(loss) != std::string::npos);

  run_well("cifar", cifar_command(folder, "wide", "f32"));
  CHECK(summary_of(folder, "wide")["precision"] == "f32");
  CHECK((model_of(folder, "wide") != model_of(folder, "whole")) == kernels::has_bf16_instructions());
}

TEST_CASE("without instructions for bf16: one line on standard error, and the bits of f32") {
  const TemporaryFolder folder;
  write_tiny_cifar10(folder / "data");
  const InstructionLimit limit("AVX2");
  const Finished narrow = run_well("cifar", cifar_command(folder, "narrow", "bf16"));
  CHECK(narrow.error.find(kWarning) == 0);
  CHECK(narrow.error.find(kWarning, 1) == std::string::npos);
  const Finished wide = run_well("cifar", cifar_command(folder, "wide", "f32"));
  CHECK(wide.error.find(kWarning) == std::string::npos);
  CHECK(model_of(folder, "narrow") == model_of(folder, "wide"));
}

TEST_CASE("every program trains and evaluates in bf16") {
  const TemporaryFolder folder;
  const Words bf16 = {"--precision", "bf16"};
  const auto check = [&](const std::string& program, const Words& arguments, const std::string& out) {
    run_well(program, with(arguments, bf16));
    const nlohmann::json summary = summary_of(folder, out);
    CHECK(summary["precision"] == "bf16");
    REQUIRE(summary["runs"].size() == 1);
    CHECK(summary["runs"][0]["status"] == "finished");
    run_well(program, {"--evaluate", (folder / out).string(), "--threads", "1"});
  };
  write_tiny_cifar10(folder / "data");
  for (const char* const program : {"autoencoder", "vae"}) {
    CAPTURE(program);
    check(program,
          {"--dataset", "cifar10", "--data", (folder / "data").string(), "--out", (folder / program).string(),
           "--batch", "24", "--steps", "3", "--threads", "1", "--optimizer", "adam(lr=1e-3)"},
          program);
  }
  write_file(folder / "a.txt", tiny_text(60, 1));
  write_tiny_ptb(folder / "ptb");
  for (const auto& [model, data] : {std::pair("char-lstm", "a.txt"), std::pair("lstm-small", "ptb")}) {
    check("language_model",
          {"--data", (folder / data).string(), "--out", (folder / model).string(), "--model", model, "--steps", "3",
           "--batch", "4", "--bptt", "8", "--threads", "1", "--optimizer", "adam(lr=4e-3)"},
          model);
  }
  write_pairs(folder, 100);
  check("translate", with(command(folder, "translate", "1"), {"--optimizer", "adam(lr=4e-3)", "--steps", "3"}),
        "translate");
}
