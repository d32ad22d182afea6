// A step of the smallest network, 2-16-1 with tanh, 4 examples, mean squared error, Adam, in mlpack (its FFN with
// ensmallen's Adam) and in Tandem, one after the other in one process: what each asks for a step besides arithmetic.
// One thread: OMP_NUM_THREADS=1. Time of one iteration: kSteps steps.
#include <benchmark/benchmark.h>

#include <mlpack.hpp>

#include <tandem/tandem.h>

namespace {

constexpr int kSteps = 1000, kExamples = 4;

template <class Matrix>
void mlpack_step(benchmark::State& state) {
  using namespace mlpack;
  FFN<MeanSquaredErrorType<Matrix>, RandomInitialization, Matrix> network;
  network.template Add<LinearType<Matrix>>(16);
  network.template Add<TanHType<Matrix>>();
  network.template Add<LinearType<Matrix>>(1);
  const Matrix x(2, kExamples, arma::fill::randn), y(1, kExamples, arma::fill::randn);
  // maxIterations counts examples; no tolerance ends it sooner, nothing is shuffled.
  ens::Adam adam(1e-3, kExamples, 0.9, 0.999, 1e-8, kSteps * kExamples, -1, false);
  for (auto _ : state) benchmark::DoNotOptimize(network.Train(x, y, adam));
  state.counters["step"] =
      benchmark::Counter(kSteps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <bool replayed>
void tandem_step(benchmark::State& state) {
  using namespace tandem;
  nn::seed(1);
  nn::Sequential network({nn::layer<nn::Linear>({.in = 2, .out = 16}), nn::layer<nn::Tanh>(),
                          nn::layer<nn::Linear>({.in = 16, .out = 1})});
  Optimizer optimizer(network.parameters(), adam({.lr = 1e-3}));
  Generator generator(1);
  Array examples = Array::empty({kExamples, 2}), targets = Array::empty({kExamples, 1});
  generator.fill_normal(examples);
  generator.fill_normal(targets);
  Replay pass([&](const std::vector<Tensor>& in) { return mse_loss(network(in[0]), in[1]); });
  for (auto _ : state) {
    for (int step = 0; step < kSteps; ++step) {
      optimizer.zero_grad();
      if (replayed) {
        pass(examples, targets);
      } else {
        mse_loss(network(examples), targets).backward();
      }
      optimizer.step();
    }
  }
  state.counters["step"] =
      benchmark::Counter(kSteps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

BENCHMARK(mlpack_step<arma::fmat>)->Name("mlpack, float")->Unit(benchmark::kMillisecond);
BENCHMARK(mlpack_step<arma::mat>)->Name("mlpack, double")->Unit(benchmark::kMillisecond);
BENCHMARK(tandem_step<true>)->Name("Tandem, float, replayed")->Unit(benchmark::kMillisecond);
BENCHMARK(tandem_step<false>)->Name("Tandem, float")->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
