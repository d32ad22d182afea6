// bf16 kernels beside f32 ones: convolutions of residual networks at batch 128, with both ways to the weight gradient,
// and the products of linear layers. The table of core/kernels/convolution/bf16_conv2d.cpp is made from it.
//   bf16_benchmark --benchmark_filter=weight_grad --benchmark_min_time=0.2
#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/convolution/bf16_conv2d.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/product/bf16_matmul.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/onednn/convolution.h>

using namespace tandem;

namespace {

struct Layer {
  std::int64_t from, to, side;
};
constexpr Layer kLayers[] = {{16, 16, 32},  {32, 32, 16},  {64, 64, 8},   {64, 64, 32}, {128, 128, 16},
                             {128, 256, 8}, {256, 256, 8}, {256, 512, 4}, {512, 512, 4}};
constexpr Conv2dOptions kOptions{.stride = 1, .padding = 1, .dilation = 1, .groups = 1};

Array normal(const Shape& shape, DType dtype, Layout layout = Layout::row_major) {
  Generator generator(1);
  Array x = Array::empty(shape, DType::f32, layout);
  generator.fill_normal(x);
  return x.to(dtype);
}

void report(benchmark::State& state, double products) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(2 * products * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

void run_layer(benchmark::State& state, const Layer& l, DType dtype, const std::string& kind) {
  const Array x = normal({128, l.from, l.side, l.side}, dtype, Layout::channels_last);
  const Array dy = normal({128, l.to, l.side, l.side}, dtype, Layout::channels_last);
  const Array w = normal({l.to, l.from, 3, 3}, DType::f32);
  Array dw = Array::empty(w.shape());
  for (auto _ : state) {
    if (kind == "forward") kernels::conv2d(x, w, {}, kOptions);
    if (kind == "input_grad") kernels::conv2d_input_grad(dy, w, x.shape(), kOptions);
    if (kind == "weight_grad/onednn") onednn::convolution_weight_grad(dy, x, kOptions, dw);
    if (kind == "weight_grad/unfolded") kernels::bf16_unfolded_weight_grad(dy, x, w.shape(), kOptions);
  }
  report(state, static_cast<double>(128 * l.to * l.side * l.side * l.from * 9));
}

struct Product {
  std::int64_t rows, in, out;
};
constexpr Product kProducts[] = {{700, 650, 2600},  {700, 650, 10000}, {2048, 256, 768},
                                 {2048, 256, 1024}, {2048, 1024, 256}, {128, 512, 10}};

void run_product(benchmark::State& state, const Product& p, DType dtype, const std::string& kind) {
  const Array x = normal({p.rows, p.in}, dtype), dy = normal({p.rows, p.out}, dtype),
              w = normal({p.out, p.in}, DType::f32);
  const bool narrow = dtype == DType::bf16;
  const auto multiply = [narrow](const Array& a, const Array& b, DType y) {
    return narrow ? kernels::bf16_matmul(a, b, y) : kernels::matmul(a, b);
  };
  for (auto _ : state) {
    if (kind == "forward") narrow ? kernels::bf16_linear(x, w, {}) : kernels::linear(x, w, {});
    if (kind == "input_grad") multiply(dy, w, dtype);
    if (kind == "weight_grad") multiply(dy.transpose(0, 1), x, DType::f32);
  }
  report(state, static_cast<double>(p.rows * p.in * p.out));
}

void add(const std::string& name, auto run, const auto& problem, const std::string& kind) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (dtype == DType::f32 && kind.find("unfolded") != std::string::npos) continue;
    benchmark::RegisterBenchmark(fmt::format("{}/{}/{}", name, kind, tandem::name(dtype)).c_str(),
                                 [=](benchmark::State& state) { run(state, problem, dtype, kind); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const Layer& l : kLayers)
    for (const char* const kind : {"forward", "input_grad", "weight_grad/onednn", "weight_grad/unfolded"})
      add(fmt::format("conv2d/{}-{}@{}", l.from, l.to, l.side), run_layer, l, kind);
  for (const Product& p : kProducts)
    for (const char* const kind : {"forward", "input_grad", "weight_grad"})
      add(fmt::format("linear/{}x{}-{}", p.rows, p.in, p.out), run_product, p, kind);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
