// The tables behind core/kernels/convolution/choice.cpp: f32 convolutions by oneDNN's direct algorithm, by Winograd's
// with the vectors of each width that this processor has, and as products over unfolded images.
//   build/bin/convolution_benchmark --benchmark_filter='64>64@32' --benchmark_repetitions=5
// oneDNN alone is confined to a lesser processor by DNNL_MAX_CPU_ISA=AVX2.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/convolution/choice.h>
#include <tandem/core/kernels/convolution/phases.h>
#include <tandem/core/kernels/convolution/unfolding.h>
#include <tandem/core/kernels/convolution/winograd.h>
#include <tandem/core/onednn/convolution.h>
#include <tandem/core/threads.h>

using namespace tandem;
namespace k = tandem::kernels;
using k::Pass;

namespace {

struct Case {
  std::int64_t batch, channels, filters, size, kernel = 3, stride = 1, padding = 1;
};

constexpr Case kCases[] = {
    // of resnet20 and resnet18 for 32x32, and small batches of some
    {128, 16, 16, 32},
    {128, 32, 32, 16},
    {128, 64, 64, 8},
    {128, 64, 64, 32},
    {128, 128, 128, 16},
    {128, 256, 256, 8},
    {128, 512, 512, 4},
    {8, 32, 32, 16},
    {8, 64, 64, 8},
    {8, 64, 64, 32},
    {8, 256, 256, 8},
    {8, 512, 512, 4},
    {128, 3, 16, 32},
    {128, 3, 64, 32},
    {128, 16, 32, 32, 3, 2},
    {128, 64, 128, 32, 3, 2},
    {128, 256, 512, 8, 3, 2},
    {128, 64, 128, 32, 1, 2, 0},
    {128, 256, 512, 8, 1, 2, 0},
    // of autoencoders: halving, and doubling, of which x is the output
    {128, 3, 32, 32, 3, 2},
    {128, 32, 64, 16, 3, 2},
    {128, 64, 128, 8, 3, 2},
    {128, 3, 32, 32, 4, 2},
    {128, 1, 32, 32, 4, 2},
    {128, 32, 64, 16, 4, 2},
    {128, 64, 128, 8, 4, 2},
    {16, 3, 32, 64, 4, 2},
    // of resnet50, small batches, others
    {16, 256, 64, 56, 1, 1, 0},
    {16, 64, 256, 56, 1, 1, 0},
    {16, 1024, 256, 14, 1, 1, 0},
    {8, 64, 128, 32, 3, 2},
    {8, 256, 512, 8, 3, 2},
    {128, 3, 64, 32, 5, 1, 2},
    {64, 1, 32, 28, 5, 1, 0},
    {64, 32, 64, 12, 5, 1, 0},
    {16, 3, 64, 224, 7, 2, 3}};

struct Problem {
  Array x, w, y, dw;
  Conv2dOptions options;

  explicit Problem(const Case& c)
      : x(Array::empty({c.batch, c.channels, c.size, c.size}, DType::f32, Layout::channels_last)),
        w(Array::empty({c.filters, c.channels, c.kernel, c.kernel})),
        dw(Array::empty(w.shape())),
        options{.stride = c.stride, .padding = c.padding} {
    y = Array::empty(k::conv2d_shape(x.shape(), w.shape(), options), DType::f32, Layout::channels_last);
    Generator g(1);
    for (Array* a : {&x, &w, &y}) g.fill_normal(*a);
  }
};

/// As products over unfolded images; false where they do not take it.
bool run_unfolded(Problem& p, Pass pass) {
  if (pass == Pass::input_grad ? !k::can_fold(p.options) : !k::can_unfold(p.w.shape(), p.options)) return false;
  if (pass == Pass::forward)
    k::unfolded(p.x, p.w, p.options, p.y);
  else if (pass == Pass::input_grad)
    k::folded_input_grad(p.y, p.w, p.options, p.x);
  else
    k::unfolded_weight_grad(p.y, p.x, p.options, p.dw);
  return true;
}

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

template <class Run>
void add(const Case& c, Pass pass, const std::string& algorithm, Run run_once) {
  constexpr const char* kNames[] = {"y", "dx", "dw"};
  const std::string name = fmt::format("{}>{}@{}k{}s{}/batch{}/{}/{}", c.channels, c.filters, c.size, c.kernel,
                                       c.stride, c.batch, kNames[static_cast<int>(pass)], algorithm);
  benchmark::RegisterBenchmark(name.c_str(),
                               [c, run_once](benchmark::State& state) {
                                 Problem problem(c);
                                 run_once(problem);
                                 for ([[maybe_unused]] auto _ : state) {
                                   problem.w.mark_changed();  // weights change with each step
                                   run_once(problem);
                                 }
                                 state.counters["GFLOP/s"] = benchmark::Counter(
                                     2e-9 * static_cast<double>(problem.y.size() * problem.w.size() / c.filters),
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
  for (const Case& c : kCases) {
    const Problem problem(c);
    for (const Pass pass : {Pass::forward, Pass::input_grad, Pass::weight_grad}) {
      add(c, pass, "onednn", [pass](Problem& p) { run(p, pass, nullptr); });
      if (Problem trial(c); run_unfolded(trial, pass))
        add(c, pass, "unfolded", [pass](Problem& p) { run_unfolded(p, pass); });
      if (pass == Pass::input_grad && k::can_phase(problem.options))
        add(c, pass, "phases", [](Problem& p) { k::phased_input_grad(p.y, p.w, p.options, p.x); });
      if (!k::can_winograd(problem.w.shape(), problem.options)) continue;
      for (const k::tiles::Loops* loops : k::tiles::all_loops()) {
        if (loops == k::tiles::all_loops().back() && k::tiles::all_loops().size() > 1) continue;  // for any processor
        add(c, pass, fmt::format("winograd{}", loops->lanes), [pass, loops](Problem& p) { run(p, pass, loops); });
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
