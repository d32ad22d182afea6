// What a run starts from, and its checkpoints. Doubles travel as text in the shortest form that reads back the same.
#include "checkpoint.h"

#include <fmt/format.h>

#include <charconv>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/nn/model_file.h>

#include "finite_watch.h"
#include "rank_states.h"

namespace tandem::train {
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

/// Calls f(key, value) for every number of a state: written and read by the same list.
template <class State, class F>
void for_each_number(State& s, F&& f) {
  f("step", s.step);
  f("epochs", s.epochs);
  f("batches", s.batches);
  f("epoch.loss", s.epoch.loss);
  f("epoch.seconds", s.epoch.seconds);
  f("epoch.examples", s.epoch.examples);
  f("all.loss", s.all.loss);
  f("all.seconds", s.all.seconds);
  f("all.examples", s.all.examples);
  f("best_watched", s.best_watched);
  f("evaluations", s.evaluations);
  f("evaluations_since_best", s.evaluations_since_best);
  f("seconds", s.seconds);
  f("logs.steps", s.logs.steps);
  f("logs.metrics", s.logs.metrics);
  f("logs.events", s.logs.events);
  f("logs.inner", s.logs.inner);
  f("logs.instruments", s.logs.instruments);
}

template <class T>
void read_number(const Checkpoint& checkpoint, const std::string& key, T& value) {
  const std::string& text = checkpoint.text(key);
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) fail("checkpoint", key + " is not a number", text);
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

/// Numbers and what is carried; the model's arrays go into the model.
TrainingState read_state(const Checkpoint& c, nn::Module& model) {
  TrainingState s;
  for_each_number(s, [&](const char* key, auto& value) { read_number(c, key, value); });
  s.carried = subtree(c.arrays, "carried/");
  model.load_state_dict(tensors_of(subtree(c.arrays, "model/")));
  model.load_random_state(tensors_of(subtree(c.arrays, "random/")));
  return s;
}

constexpr const char* kTrained = "trained";  // with several ranks: each one's own sums

/// Loss and examples of the epoch so far, and of the epochs before.
std::vector<double> sums_of(const TrainingState& s) {
  return {s.epoch.loss, static_cast<double>(s.epoch.examples), s.all.loss, static_cast<double>(s.all.examples)};
}

/// The sums of this rank, where the checkpoint has some.
void read_sums(const Checkpoint& c, TrainingState& s) {
  for (const auto& [name, array] : c.arrays) {
    if (name != kTrained) continue;
    const std::vector<double> sums = array.to_vector<double>();
    s.epoch.loss = sums.at(0), s.epoch.examples = static_cast<std::int64_t>(sums.at(1));
    s.all.loss = sums.at(2), s.all.examples = static_cast<std::int64_t>(sums.at(3));
  }
}

}  // namespace

std::string load_init(nn::Module& model, const std::filesystem::path& path, const std::string& called, bool new_head) {
  std::string advice;
  try {
    if (new_head) return nn::load_fitting_weights(model, path).to_string();
    try {
      nn::load_weights(model, path);
    } catch (const Error&) {
      nn::load_fitting_weights(model, path);  // throws when nothing fits, or the file is damaged
      advice = "; with --new-head what does not fit keeps its initial values";
      throw;
    }
  } catch (const Error& error) {
    std::string what = error.what();
    if (const auto at = what.find(path.string()); at != std::string::npos)
      what.replace(at, path.string().size(), called);
    throw Error(what + advice);
  }
  return {};
}

void freeze(nn::Module& model, const std::string& pattern) try {
  for (NamedTensor& parameter : nn::parameters(model, pattern).matching) parameter.tensor.set_requires_grad(false);
} catch (const UsageError& error) {
  fail_usage("--freeze", error.message());
}

std::string bad_entry(const nn::Module& model) {
  for (const NamedTensor& entry : model.state_dict())
    if (!is_finite(entry.tensor.value())) return entry.name;
  return {};
}

bool has_checkpoint(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / kCheckpoint, ignored) ||
         std::filesystem::exists(folder / "checkpoint.previous.safetensors", ignored);
}

void save_state(const std::filesystem::path& path, const CheckpointOwner& owner, const TrainingState& s,
                const nn::Module& model, const Optimizer& optimizer, Workers& workers) {
  Checkpoint c;
  graft(c.arrays, "model/", values_of(model.state_dict()));
  graft(c.arrays, "optimizer/", optimizer.state_tree());
  graft(c.arrays, "random/", values_of(model.random_state()));
  graft(c.arrays, "carried/", s.carried);
  c.metadata = {{"program", owner.program},
                {"run", owner.run},
                {"optimizer", owner.optimizer},
                {"data_checksum", owner.data_checksum},
                {"last", report::metrics_text(s.last)},
                {"best", report::metrics_text(s.best)}};
  for_each_number(s, [&](const char* key, const auto& value) { c.metadata[key] = fmt::format("{}", value); });
  if (workers.size() > 1) c.arrays.push_back({kTrained, Array::from(sums_of(s), {4})});
  c.arrays = gather_states(c.arrays, c.metadata, workers);
  if (workers.rank() == 0) save_checkpoint(path, c);
}

TrainingState load_state(const std::filesystem::path& path, const CheckpointOwner& owner, nn::Module& model,
                         Optimizer& optimizer, Workers& workers) {
  Checkpoint c;
  if (workers.rank() == 0) {
    auto [read, warning] = load_checkpoint_or_previous(path);
    if (!warning.empty()) warn(warning);
    c = std::move(read);
  }
  if (workers.size() > 1) c.arrays = scatter_states(c.arrays, c.metadata, workers);
  check_owner(path, c, owner);
  try {
    TrainingState s = read_state(c, model);
    read_sums(c, s);
    s.last = report::parse_metrics(c.text("last"));
    s.best = report::parse_metrics(c.text("best"));
    optimizer.load_state_tree(subtree(c.arrays, "optimizer/"));
    return s;
  } catch (const Error& error) {
    fail(path.string(), "does not fit this run", error.what());
  }
}

TrainingState load_fork(const std::filesystem::path& path, nn::Module& model, Optimizer& optimizer, ForkReport& taken) {
  const Checkpoint c = load_checkpoint(path);
  try {
    const TrainingState before = read_state(c, model);
    taken = optimizer.fork({c.text("optimizer"), subtree(c.arrays, "model/"), subtree(c.arrays, "optimizer/")});
    TrainingState s;
    s.step = before.step, s.epochs = before.epochs, s.batches = before.batches;
    s.epoch = before.epoch;  // train_loss is of the whole epoch
    s.carried = before.carried;
    return s;
  } catch (const Error& error) {
    fail(path.string(), "does not fit this run", error.what());
  }
}

}  // namespace tandem::train
