// benchmark: the time and memory of whole training steps, one line of JSON, to be held beside other frameworks that do
// the same work. A step is: clear gradients, forward, loss, backward, optimizer step, and reading the loss as a number.
//   benchmark resnet20 --threads 2 --steps 7
//   benchmark loader --steps 391 --passes 3     what reading and augmenting cost an epoch of training
// Inputs are random, already in memory, channels-last, but for "loader". Not here: single kernels (tests/benchmarks).
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include <tandem/tandem.h>

#include <tandem/train/program.h>

using namespace tandem;

namespace {

/// A training step that returns its loss, and what it trains.
struct Workload {
  std::int64_t parameters = 0;
  std::function<double()> step;
  int steps_a_time = 1;  ///< steps that are timed as one block: of the smallest network, and of cycles
};

template <class Loss>
Workload make_workload(std::shared_ptr<nn::Module> model, const Rule& rule, Loss loss_of, int steps_a_time = 1) {
  auto optimizer = std::make_shared<Optimizer>(model->parameters(), rule);
  const auto step = [model, optimizer, loss_of] {
    optimizer->zero_grad();
    const Tensor loss = loss_of(*model);
    loss.backward();
    optimizer->step();
    return loss.item();
  };
  return {model->parameter_count(), step, steps_a_time};
}

const std::vector<std::int64_t> kResNet18Widths = {64, 128, 256, 512};
constexpr int kCycle = 5;  // of Lookahead: its steps are timed by whole cycles

std::shared_ptr<nn::Module> residual_model(const std::vector<std::int64_t>& widths, int blocks) {
  return std::make_shared<nn::ResNet>(
      nn::ResNetOptions{.widths = widths, .blocks = blocks, .shortcut = nn::Shortcut::projection});
}

/// 128 images of 32x32 in ten classes; shortcuts are 1x1 convolutions where the shape changes.
Workload residual(const std::vector<std::int64_t>& widths, int blocks, const Rule& rule, int steps_a_time = 1) {
  Generator generator(0);
  Array images = Array::empty({128, 3, 32, 32}, DType::f32, Layout::channels_last);
  generator.fill_normal(images);
  Array labels = Array::empty({128}, DType::i64);
  for (std::int64_t i = 0; i < labels.size(); ++i) labels.data<std::int64_t>()[i] = generator.below(10);
  return make_workload(
      residual_model(widths, blocks), rule,
      [images, labels](nn::Module& m) { return cross_entropy(m(images), labels); }, steps_a_time);
}

/// The optimizer's step alone, on the parameters of resnet18 with gradients that stay; its "loss" is the first weight.
Workload optimizer_alone(const Rule& rule) {
  const std::shared_ptr<nn::Module> model = residual_model(kResNet18Widths, 2);
  auto optimizer = std::make_shared<Optimizer>(model->parameters(), rule);
  Generator generator(0);
  for (NamedTensor& entry : model->parameters()) {
    Array gradient = Array::empty(entry.tensor.shape());
    generator.fill_normal(gradient, 0, 1e-3);
    entry.tensor.accumulate_grad(gradient);
  }
  const auto step = [model, optimizer] {
    optimizer->step();
    return model->parameters().front().tensor.value().to_vector<double>().front();
  };
  return {model->parameter_count(), step, kCycle};
}

/// 2 -> 16 -> 1 with tanh, four examples: what a call costs.
Workload mlp() {
  Generator generator(0);
  Array x = Array::empty({4, 2}), y = Array::empty({4, 1});
  generator.fill_normal(x);
  generator.fill_normal(y);
  auto model = std::make_shared<nn::Sequential>(std::initializer_list<std::shared_ptr<nn::Module>>{
      nn::layer<nn::Linear>({.in = 2, .out = 16}), nn::layer<nn::Tanh>(), nn::layer<nn::Linear>({.in = 16, .out = 1})});
  return make_workload(
      model, adam({.lr = 1e-3}), [x, y](nn::Module& m) { return mse_loss(m(x), y); }, 200);
}

/// Ids [rows, columns] below `vocabulary`.
Array random_ids(std::int64_t rows, std::int64_t columns, std::int64_t vocabulary) {
  Generator generator(0);
  Array ids = Array::empty({rows, columns}, DType::i64);
  for (std::int64_t i = 0; i < ids.size(); ++i) ids.data<std::int64_t>()[i] = generator.below(vocabulary);
  return ids;
}

/// Logits [.., .., vocabulary] against the ids themselves.
Tensor loss_of_ids(const Tensor& logits, const Array& ids) {
  return cross_entropy(flatten(logits, 0, 1), Tensor(ids.reshape({ids.size()})));
}

/// The language model of Zaremba et al. without dropout: 35 steps of 20 texts, 10000 words, 2 x 650.
Workload lstm(const Rule& rule) {
  const Array ids = random_ids(35, 20, 10000);  // [T, B]
  const auto model = std::make_shared<nn::LstmLanguageModel>(nn::LstmLanguageModelOptions{.tokens = 10000});
  return make_workload(model, rule, [ids](nn::Module& m) { return loss_of_ids(m(ids), ids); });
}

/// Pre-norm causal decoder: 4 layers, width 256, 4 heads, feed-forward 1024 with GELU.
class CausalTransformer : public nn::Module {
 public:
  explicit CausalTransformer(std::int64_t vocabulary)
      : embedding_({.tokens = vocabulary, .width = 256}),
        position_({.width = 256, .positions = 128}),
        layers_(4, {.width = 256,
                    .heads = 4,
                    .feedforward = 1024,
                    .dropout = 0,
                    .activation = nn::TransformerLayerOptions::Activation::gelu,
                    .norm_first = true}),
        head_({.in = 256, .out = vocabulary}) {
    child("embedding", embedding_);
    child("position", position_);
    child("layers", layers_);
    child("head", head_);
  }

 protected:
  Tensor forward(const Tensor& ids) override {
    const auto run = [](nn::TransformerEncoderLayer& layer, std::size_t, const Tensor& v) {
      return layer(v, {.causal = true});
    };
    return head_(layers_(position_(embedding_(ids)), run));
  }

 private:
  nn::Embedding embedding_;
  nn::LearnedPosition position_;
  nn::LayerStack<nn::TransformerEncoderLayer> layers_;
  nn::Linear head_;
};

Workload transformer(const Rule& rule) {
  const Array ids = random_ids(16, 128, 1000);  // [B, T]
  return make_workload(std::make_shared<CausalTransformer>(1000), rule,
                       [ids](nn::Module& m) { return loss_of_ids(m(ids), ids); });
}

const std::map<std::string, std::function<Workload()>>& workloads() {
  static const Rule kMomentum = momentum({.lr = 0.01, .momentum = 0.9}), kAdam = adam({.lr = 1e-3});
  static const std::map<std::string, std::function<Workload()>> table{
      {"resnet18", [] { return residual(kResNet18Widths, 2, kMomentum); }},
      {"resnet18_lookahead", [] { return residual(kResNet18Widths, 2, lookahead(kMomentum, {.k = kCycle}), kCycle); }},
      {"resnet20",
       [] {
         return residual({16, 32, 64}, 3, kMomentum);
       }},
      {"optimizer_momentum", [] { return optimizer_alone(kMomentum); }},
      {"optimizer_adam", [] { return optimizer_alone(kAdam); }},
      {"optimizer_lookahead_adam", [] { return optimizer_alone(lookahead(kAdam, {.k = kCycle})); }},
      {"mlp", mlp},
      {"lstm", [] { return lstm(kMomentum); }},
      {"transformer", [] { return transformer(kAdam); }},
  };
  return table;
}

/// The largest memory of the process so far.
std::int64_t peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

int run(const std::string& name, const std::string& precision, int steps) {
  const std::int64_t baseline = peak_megabytes();
  const Workload workload = workloads().at(name)();
  for (int i = 0; i < 2 * workload.steps_a_time; ++i) workload.step();
  std::vector<double> times;
  double loss = 0;
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for (int j = 0; j < workload.steps_a_time; ++j) loss = workload.step();
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    times.push_back(elapsed.count() / workload.steps_a_time);
  }
  std::sort(times.begin(), times.end());
  nlohmann::ordered_json line;
  line["workload"] = name;
  line["precision"] = precision;
  line["layout"] = "channels_last";
  line["threads"] = threads();
  line["parameters"] = workload.parameters;
  line["loss"] = loss;
  line["median_ms"] = times[times.size() / 2];
  line["min_ms"] = times.front();
  line["peak_rss_mb"] = peak_megabytes();
  line["baseline_rss_mb"] = baseline;
  std::printf("%s\n", line.dump().c_str());
  return train::kExitDone;
}

/// Steps of resnet20 on CIFAR-10 (else the synthetic set) fed by a Loader that crops, flips and normalises, and the
/// same steps on the same batches already in memory, in turn; the least time of each counts. At most one epoch.
int run_loader(const std::string& precision, int steps, int passes) {
  using Clock = std::chrono::steady_clock;
  const bool has_files = has_cifar10();
  const Dataset set = has_files ? cifar10().train : synthetic().train;
  Loader loader(set, {.batch = 128, .transform = standard_augmentation(set)});
  steps = static_cast<int>(std::min<std::int64_t>(steps, loader.batches()));
  const std::shared_ptr<nn::Module> model = residual_model({16, 32, 64}, 3);
  Optimizer optimizer(model->parameters(), momentum({.lr = 0.01, .momentum = 0.9}));
  double loss_value = 0;
  const auto train = [&](const Batch& batch) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy((*model)(batch.images), batch.labels);
    loss.backward();
    optimizer.step();
    loss_value = loss.item();
  };
  const auto read = [&](const std::function<void(const Batch&)>& use) {
    loader.start_epoch(0);
    for (int i = 0; i < steps; ++i) use(*loader.next());
  };
  const auto seconds_of = [](const auto& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  std::vector<Batch> batches;
  read([&](const Batch& batch) { batches.push_back(batch); });
  train(batches.front());
  train(batches.back());
  double with_loader = 0, in_memory = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const double fed = seconds_of([&] { read(train); });
    const double held = seconds_of([&] { std::for_each(batches.begin(), batches.end(), train); });
    with_loader = pass == 0 ? fed : std::min(with_loader, fed);
    in_memory = pass == 0 ? held : std::min(in_memory, held);
  }
  nlohmann::ordered_json line;
  line["workload"] = "loader";
  line["precision"] = precision;
  line["layout"] = "channels_last";
  line["threads"] = threads();
  line["dataset"] = set.name;
  line["batch"] = loader.options().batch;
  line["workers"] = loader.options().workers;
  line["steps"] = steps;
  line["passes"] = passes;
  line["loss"] = loss_value;
  line["loader_s"] = with_loader;
  line["memory_s"] = in_memory;
  line["ratio"] = with_loader / in_memory;
  line["peak_rss_mb"] = peak_megabytes();
  std::printf("%s\n", line.dump().c_str());
  return train::kExitDone;
}

int program(int argc, char** argv) {
  std::vector<std::string> names{"loader"};
  for (const auto& [name, make] : workloads()) names.push_back(name);
  std::string workload, precision = "f32";
  int team = threads(), steps = 7, passes = 3;
  CLI::App app{"Times whole training steps and prints one line of JSON."};
  app.add_option("workload", workload, "what is trained")->required()->check(CLI::IsMember(names));
  app.add_option("--precision", precision, "of the arithmetic")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  app.add_option("--threads", team, "that compute")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--steps", steps, "that are timed")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--passes", passes, "over the steps of \"loader\", each way")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? train::kExitDone : train::kExitUsage;
  }
  set_threads(team);
  const AutocastScope scope = autocast(precision == "bf16" ? DType::bf16 : DType::f32);
  return workload == "loader" ? run_loader(precision, steps, passes) : run(workload, precision, steps);
}

}  // namespace

int main(int argc, char** argv) try { return program(argc, argv); } catch (...) {
  return train::end_by_exception();
}
