// workers: what N machines gain, on paper. Measures a training step of a model on this machine, when each of its
// gradients is complete and how uneven its steps are, and simulates N such machines on a network: gradients averaged in
// every step, with and without overlap, and loops over workers with an all-reduce every k steps.
//   workers --model resnet20 --batch 128
//   workers --model resnet18 --machines 2 --machines 8 --gigabits 10 --latency 30
// To train on several machines: mpirun -n N cifar ... Read next: simulate.h, README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <numeric>

#include <tandem/autograd/arrivals.h>
#include <tandem/tandem.h>
#include <tandem/train/arguments.h>
#include <tandem/train/program.h>

#include "simulate.h"

using namespace tandem;

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string model = "resnet20";
  std::int64_t batch = 128, steps = 12, threads = 0;
  std::vector<int> machines = {2, 4, 8, 16};
  std::vector<std::int64_t> k = {5, 20, 100};
  std::vector<double> gigabits = {1, 10, 100};
  double latency = 30;  // microseconds
};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Pieces as the optimizer cuts them: about eight, in the order in which backward fills them.
std::vector<workers::Piece> pieces_of(const std::vector<workers::Piece>& gradients) {
  double bytes = 0;
  for (const workers::Piece& g : gradients) bytes += g.bytes;
  std::vector<workers::Piece> pieces;
  for (const workers::Piece& g : gradients) {
    if (pieces.empty() || pieces.back().bytes >= std::max(bytes / 8, 65536.0)) pieces.push_back({});
    pieces.back().bytes += g.bytes;
    pieces.back().ready = std::max(pieces.back().ready, g.ready);
  }
  return pieces;
}

workers::StepCosts measure(const Settings& settings) {
  nn::seed(0);
  const auto model = nn::make_model(settings.model, {{"classes", 10}});
  Optimizer optimizer(model->parameters(), momentum({.lr = 1e-3}));
  Array images = Array::empty({settings.batch, 3, 32, 32}, DType::f32, Layout::channels_last);
  Generator(1).fill_normal(images, 0, 1);
  std::vector<std::int64_t> classes;
  for (std::int64_t i = 0; i < settings.batch; ++i) classes.push_back(i % 10);
  const Array labels = Array::from(classes, {settings.batch});

  std::map<const TensorState*, double> bytes;
  for (const NamedTensor& p : model->parameters()) bytes[p.tensor.state()] = static_cast<double>(p.tensor.size()) * 4;
  workers::StepCosts costs;
  std::vector<workers::Piece> gradients;
  constexpr std::int64_t kWarmUp = 3;
  for (std::int64_t step = -kWarmUp; step < settings.steps; ++step) {
    const auto begin = Clock::now();
    optimizer.zero_grad();
    const Tensor loss = cross_entropy((*model)(images), labels);
    const double forward = seconds_since(begin);
    const auto backward_begin = Clock::now();
    std::vector<workers::Piece> arrived;
    {
      const Arrivals arrivals([&](const TensorState* leaf) {
        arrived.push_back({seconds_since(backward_begin), bytes.at(leaf)});
      });
      loss.backward();
    }
    const double backward = seconds_since(backward_begin);
    const auto update_begin = Clock::now();
    optimizer.step();
    if (step < 0) continue;
    costs.forward += forward / static_cast<double>(settings.steps);
    costs.backward += backward / static_cast<double>(settings.steps);
    costs.update += seconds_since(update_begin) / static_cast<double>(settings.steps);
    costs.uneven.push_back(forward + backward);
    gradients = arrived;  // of the last step
  }
  const double mean = costs.forward + costs.backward, last = costs.uneven.back() / mean;
  for (double& seconds : costs.uneven) seconds /= mean;
  costs.pieces = pieces_of(gradients);
  for (workers::Piece& piece : costs.pieces) piece.ready = std::min(piece.ready / last, costs.backward);
  return costs;
}

void print_table(const workers::StepCosts& costs, const workers::Network& network, const Settings& settings) {
  const auto row = [&](const std::string& name, workers::Way way, std::int64_t k) {
    fmt::print("  {:<24}", name);
    for (const int n : settings.machines) {
      const double seconds = workers::step_seconds(costs, n, network, way, k);
      fmt::print("  {:>6.2f} ({:>3.0f} %)", n * costs.seconds() / seconds, 100 * costs.seconds() / seconds);
    }
    fmt::print("\n");
  };
  fmt::print("  {:<24}", "");
  for (const int n : settings.machines) fmt::print("  {:>14}", fmt::format("{} machines", n));
  fmt::print("\n");
  row("averaged gradients", workers::Way::averaged, 1);
  row("  with overlap", workers::Way::overlapped, 1);
  for (const std::int64_t k : settings.k) row(fmt::format("loop over workers, k={}", k), workers::Way::loop, k);
}

int run(const Settings& settings) {
  if (settings.threads > 0) set_threads(static_cast<int>(settings.threads));
  const workers::StepCosts costs = measure(settings);
  const auto [least, most] = std::minmax_element(costs.uneven.begin(), costs.uneven.end());
  fmt::print("model      {}: {:.2f} MB of gradients in {} pieces\n", settings.model, costs.bytes() / 1e6,
             costs.pieces.size());
  fmt::print(
      "a step     {:.1f} ms of {} images on {} threads: forward {:.1f}, backward {:.1f}, update {:.1f}; from {:.2f} "
      "to {:.2f} times that\n",
      costs.seconds() * 1e3, settings.batch, threads(), costs.forward * 1e3, costs.backward * 1e3, costs.update * 1e3,
      *least, *most);
  fmt::print(
      "below      examples a second, by those of one machine, and the part of N that it is; {} images a machine\n",
      settings.batch);
  for (const double gigabits : settings.gigabits) {
    const workers::Network network{settings.latency * 1e-6, gigabits * 1e9 / 8};
    fmt::print("\n{} Gbit/s, {} us: an all-reduce of all among {} takes {:.1f} ms\n", gigabits, settings.latency,
               settings.machines.back(),
               workers::all_reduce_seconds(costs.bytes(), settings.machines.back(), network) * 1e3);
    print_table(costs, network, settings);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app("What N machines gain when they train one model, simulated from a step measured here.", "workers");
  app.option_defaults()->always_capture_default();
  app.add_option("--model", settings.model, "A model for pictures 3x32x32");
  app.add_option("--batch", settings.batch, "Images of each machine in a step")->check(CLI::Range(1, 65536));
  app.add_option("--steps", settings.steps, "Steps to measure")->check(CLI::Range(1, 10000));
  app.add_option("--threads", settings.threads, "Threads of a machine; 0: all of this one");
  app.add_option("--machines", settings.machines, "How many; given several times: a column each")
      ->check(CLI::Range(1, 4096));
  app.add_option("--k", settings.k, "Steps between two all-reduces of a loop")->check(CLI::Range(1, 1000000));
  app.add_option("--gigabits", settings.gigabits, "Of the network, a second; given several times: a table each")
      ->check(CLI::Range(1e-3, 1e6));
  app.add_option("--latency", settings.latency, "Of a message, in microseconds")->check(CLI::Range(0.0, 1e9));
  if (!train::parse_arguments(app, argc, argv)) return train::kExitDone;
  return run(settings);
} catch (...) {
  return train::end_by_exception();
}
