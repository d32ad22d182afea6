// Writes fake run folders; see fake_folder.h.
#include "fake_folder.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>

namespace tandem::test {
namespace {

using Json = nlohmann::ordered_json;

void write_run(const std::filesystem::path& folder, const FakeRun& run) {
  std::filesystem::create_directories(folder / "pictures");
  const int end = run.diverged_at > 0 ? run.diverged_at : run.steps;
  std::string metrics = "step,epoch,train_loss,test_accuracy\n";
  std::string steps = "step,loss,lr,gradient_norm,update_norm,distance,alpha,synced\n";
  for (int step = 1; step <= end; ++step) {
    const bool is_sync = step % 5 == 0;
    steps += fmt::format("{},{},0.1,1,0.1,{},{},{}\n", step, step == run.diverged_at ? "nan" : "1.5", step % 5,
                         is_sync ? "0.5" : "", is_sync ? 1 : 0);
    if (step % 10 != 0 || step == run.diverged_at) continue;
    const double value = run.accuracy * step / run.steps;
    metrics += fmt::format("{},{},{},{}\n", step, step / 20.0, 1 - value, value);
  }
  Json json = {{"status", run.diverged_at > 0 ? "diverged" : run.status},
               {"step", end},
               {"epochs", end / 20.0},
               {"seconds", 2.0},
               {"examples_per_second", 1234.4},
               {"final", {{"train_loss", 1 - run.accuracy}, {"test_accuracy", run.accuracy}}},
               {"best", {{"test_accuracy", run.accuracy}}}};
  if (run.diverged_at > 0) json["diverged"] = {{"step", run.diverged_at}, {"reason", "train_loss is nan"}};
  write_file(folder / "run.json", json.dump());
  write_file(folder / "metrics.csv", metrics);
  write_file(folder / "steps.csv", steps);
}

}  // namespace

void FakeFolder::write(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  Json list = Json::array(), axes = Json::array();
  for (const FakeRun& run : runs) {
    list.push_back({{"name", run.name},
                    {"label", run.label},
                    {"optimizer", run.optimizer},
                    {"arguments", run.arguments},
                    {"seed", run.seed}});
    if (run.status != "missing") write_run(folder / run.name, run);
  }
  for (const auto& [name, values] : sweep) axes.push_back({{"name", name}, {"values", values}});
  const Json manifest = {{"tandem", "run folder 1"},
                         {"program", "cifar"},
                         {"command", "cifar --out 'a & b'"},
                         {"experiment",
                          {{"dataset", dataset},
                           {"data", dataset + ": <40> images"},
                           {"data_checksum", "0123456789abcdef"},
                           {"model", "tiny"},
                           {"parameters", 1234},
                           {"metric", "test_accuracy"},
                           {"metrics", {"train_loss", "test_accuracy"}}}},
                         {"options", options},
                         {"threads", threads},
                         {"machine", machine},
                         {"software", "tandem 0.2.0"},
                         {"steps_per_epoch", 20},
                         {"total_steps", 40},
                         {"created", "2026-11-26T22:00:00Z"},
                         {"runs", list},
                         {"sweep", axes}};
  write_file(folder / "manifest.json", manifest.dump());
}

FakeFolder two_optimizers() {
  FakeFolder folder;
  const double sgd[] = {0.5, 0.6, 0.7}, lookahead[] = {0.6, 0.72, 0.78};
  for (int seed = 0; seed < 3; ++seed) {
    folder.runs.push_back({fmt::format("sgd-seed{}", seed), "sgd", "sgd(lr=0.1)", seed, sgd[seed]});
    folder.runs.push_back({fmt::format("lookahead-seed{}", seed), "lookahead", "lookahead(sgd(lr=0.1), k=5, alpha=0.5)",
                           seed, lookahead[seed]});
  }
  return folder;
}

std::string png_header(int width, int height) {
  std::string bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  for (const int size : {width, height})
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(size >> shift & 255));
  return bytes + "rest";
}

}  // namespace tandem::test
