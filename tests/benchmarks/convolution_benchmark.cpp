// The table behind core/kernels/convolution/choice.cpp: f32 convolutions of 3x3, stride 1, padding 1, by oneDNN's
// direct algorithm and by Winograd's with the vectors of each width that this processor has.
//   build/bin/convolution_benchmark --benchmark_filter='64@32' --benchmark_repetitions=5
// oneDNN alone is confined to a lesser processor by DNNL_MAX_CPU_ISA=AVX2.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/convolution/choice.h>
#include <tandem/core/kernels/convolution/winograd.h>
#include <tandem/core/onednn/convolution.h>
#include <tandem/core/threads.h>

using namespace tandem;
namespace k = tandem::kernels;
using k::Pass;

namespace {

struct Case {
  std::int64_t batch, channels, size;
};

// The convolutions of resnet20 and resnet18 for 32x32, and small batches of some.
constexpr Case kCases[] = {{128, 16, 32}, {128, 32, 16}, {128, 64, 8}, {128, 64, 32}, {128, 128, 16}, {128, 256, 8},
                           {128, 512, 4}, {8, 32, 16},   {8, 64, 8},   {8, 64, 32},   {8, 256, 8},    {8, 512, 4}};

struct Problem {
  Array x, w, y, dw;
  Conv2dOptions options{.padding = 1};

  explicit Problem(const Case& c)
      : x(Array::empty({c.batch, c.channels, c.size, c.size}, DType::f32, Layout::channels_last)),
        w(Array::empty({c.channels, c.channels, 3, 3})),
        y(Array::empty(x.shape(), DType::f32, Layout::channels_last)),
        dw(Array::empty(w.shape())) {
    Generator g(1);
    for (Array* a : {&x, &w, &y}) g.fill_normal(*a);
  }
};

/// oneDNN where `loops` is null.
void run(Problem& p, Pass pass, const k::tiles::Loops* loops) {
  if (pass == Pass::forward) {
    loops ? k::winograd(p.x, p.w, {}, p.options, 1, p.y, *loops)
          : void(onednn::convolution(p.x, p.w, {}, p.options, p.y));
  } else if (pass == Pass::input_grad) {
    loops ? k::winograd_input_grad(p.y, p.w, p.options, p.x, *loops)
          : void(onednn::convolution_input_grad(p.y, p.w, p.options, p.x));
  } else {
    loops ? k::winograd_weight_grad(p.y, p.x, p.options, p.dw, *loops)
          : void(onednn::convolution_weight_grad(p.y, p.x, p.options, p.dw));
  }
}

void add(const Case& c, Pass pass, const k::tiles::Loops* loops) {
  constexpr const char* kNames[] = {"y", "dx", "dw"};
  const std::string name =
      fmt::format("{}@{}/batch{}/{}/{}", c.channels, c.size, c.batch, kNames[static_cast<int>(pass)],
                  loops ? fmt::format("winograd{}", loops->lanes) : "onednn");
  benchmark::RegisterBenchmark(name.c_str(),
                               [c, pass, loops](benchmark::State& state) {
                                 Problem problem(c);
                                 run(problem, pass, loops);
                                 for ([[maybe_unused]] auto _ : state) {
                                   problem.w.mark_changed();  // weights change with each step
                                   run(problem, pass, loops);
                                 }
                                 state.counters["GFLOP/s"] = benchmark::Counter(
                                     2.0 * 9 * static_cast<double>(problem.y.size() * c.channels) * 1e-9,
                                     benchmark::Counter::kIsIterationInvariantRate);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::AddCustomContext("instruction set", instruction_set());
  benchmark::AddCustomContext("processor", processor_name());
  benchmark::AddCustomContext("threads", std::to_string(threads()));
  for (const Case& c : kCases)
    for (const Pass pass : {Pass::forward, Pass::input_grad, Pass::weight_grad}) {
      add(c, pass, nullptr);
      for (const k::tiles::Loops* loops : k::tiles::all_loops()) {
        if (loops == k::tiles::all_loops().back() && k::tiles::all_loops().size() > 1) continue;  // for any processor
        add(c, pass, loops);
      }
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
