// Checkpoints of runs. Doubles travel as text in the shortest form that reads back the same.
#include "training_state.h"

#include <fmt/format.h>

#include <charconv>

#include <tandem/core/checkpoint.h>
#include <tandem/core/error.h>

#include "manifest.h"

namespace tandem::examples {
namespace {

NamedArrays values_of(const NamedTensors& tensors) {
  NamedArrays arrays;
  for (const NamedTensor& entry : tensors) arrays.push_back({entry.name, entry.tensor.value()});
  return arrays;
}

NamedTensors tensors_of(const NamedArrays& arrays) {
  NamedTensors tensors;
  for (const NamedArray& entry : arrays) tensors.push_back({entry.name, Tensor(entry.array)});
  return tensors;
}

double number(const Checkpoint& checkpoint, const std::string& key) {
  const std::string& text = checkpoint.text(key);
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) fail("checkpoint", key + " is not a number", text);
  return value;
}

void put(Metadata& metadata, const std::string& key, const Trained& t) {
  metadata[key + ".loss"] = fmt::format("{}", t.loss);
  metadata[key + ".seconds"] = fmt::format("{}", t.seconds);
  metadata[key + ".examples"] = std::to_string(t.examples);
}

Trained trained(const Checkpoint& c, const std::string& key) {
  return {number(c, key + ".loss"), number(c, key + ".seconds"), c.number(key + ".examples")};
}

void check_owner(const std::filesystem::path& path, const Checkpoint& c, const CheckpointOwner& owner) {
  const std::pair<const char*, const std::string*> fields[] = {{"program", &owner.program},
                                                               {"run", &owner.run},
                                                               {"optimizer", &owner.optimizer},
                                                               {"data_checksum", &owner.data_checksum}};
  for (const auto& [key, expected] : fields) {
    if (c.text(key) != *expected)
      fail(path.string(), "a checkpoint of something else",
           fmt::format("{} is {}, here {}", key, c.text(key), *expected));
  }
}

}  // namespace

std::filesystem::path checkpoint_path(const std::filesystem::path& folder, const Run& run) {
  return folder / run.name / "checkpoint.safetensors";
}

void save_training_state(const std::filesystem::path& path, const CheckpointOwner& owner, const TrainingState& s,
                         const nn::Module& model, const Optimizer& optimizer) {
  Checkpoint c;
  graft(c.arrays, "model/", values_of(model.state_dict()));
  graft(c.arrays, "optimizer/", optimizer.state_tree());
  graft(c.arrays, "random/", values_of(model.random_state()));
  graft(c.arrays, "carried/", s.carried);
  c.metadata = {{"program", owner.program},
                {"run", owner.run},
                {"optimizer", owner.optimizer},
                {"data_checksum", owner.data_checksum},
                {"step", std::to_string(s.step)},
                {"epochs", std::to_string(s.epochs)},
                {"batches", std::to_string(s.batches)},
                {"seconds", fmt::format("{}", s.seconds)},
                {"final_metrics", metrics_text(s.final_metrics)},
                {"best_metrics", metrics_text(s.best_metrics)},
                {"table_bytes", std::to_string(s.position.table_bytes)},
                {"events_bytes", std::to_string(s.position.events_bytes)},
                {"events_file", s.position.events_file}};
  put(c.metadata, "epoch", s.epoch);
  put(c.metadata, "all", s.all);
  save_checkpoint(path, c);
}

TrainingState load_training_state(const std::filesystem::path& path, const CheckpointOwner& owner, nn::Module& model,
                                  Optimizer& optimizer) {
  const Checkpoint c = load_checkpoint(path);
  check_owner(path, c, owner);
  try {
    TrainingState s;
    s.step = c.number("step");
    s.epochs = c.number("epochs");
    s.batches = c.number("batches");
    s.seconds = number(c, "seconds");
    s.final_metrics = parse_metrics(c.text("final_metrics"));
    s.best_metrics = parse_metrics(c.text("best_metrics"));
    s.position = {c.number("table_bytes"), c.number("events_bytes"), c.text("events_file")};
    s.epoch = trained(c, "epoch");
    s.all = trained(c, "all");
    s.carried = subtree(c.arrays, "carried/");
    model.load_state_dict(tensors_of(subtree(c.arrays, "model/")));
    model.load_random_state(tensors_of(subtree(c.arrays, "random/")));
    optimizer.load_state_tree(subtree(c.arrays, "optimizer/"));
    return s;
  } catch (const Error& error) {
    fail(path.string(), "does not fit this run", error.what());
  }
}

}  // namespace tandem::examples
