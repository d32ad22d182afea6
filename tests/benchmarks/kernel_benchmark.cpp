// What the doors of the kernels cost beside the libraries behind them: the same problem through core/kernels, and by
// oneDNN's and OpenBLAS's own call on memory that lies ready. And kernels of our own beside a copy of the same bytes.
//   build/bin/kernel_benchmark --benchmark_filter=product --benchmark_repetitions=5
// GFLOP/s and GB/s are counted as a profile counts them (core/profile.h). Convolutions by algorithm: a file beside.
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <fmt/format.h>

#include <cstring>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/normalise/batch_norm.h>
#include <tandem/core/kernels/normalise/layer_norm.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/onednn/convolution.h>
#include <tandem/core/onednn/gemm.h>
#include <tandem/core/threads.h>

using namespace tandem;
namespace k = tandem::kernels;

namespace {

Array normal(const Shape& shape) {
  Generator generator(1);
  Array x = Array::empty(shape, DType::f32, shape.rank() == 4 ? Layout::channels_last : Layout::row_major);
  generator.fill_normal(x);
  return x;
}

template <class F>
void add(const std::string& name, double operations, double bytes, F run) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) mutable {
                                 run();  // makes what is kept
                                 for (auto _ : state) run();
                                 const auto rate = benchmark::Counter::kIsIterationInvariantRate;
                                 if (operations > 0)
                                   state.counters["GFLOP/s"] = benchmark::Counter(operations * 1e-9, rate);
                                 if (bytes > 0) state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, rate);
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_products() {
  struct Case {
    std::int64_t m, n, k;
  };
  for (const Case& c : {Case{64, 10, 128}, Case{64, 256, 784}, Case{512, 128, 512}, Case{700, 2600, 650},
                        Case{2048, 256, 1024}, Case{1024, 1024, 1024}}) {
    const Array a = normal({c.m, c.k}), b = normal({c.k, c.n});
    Array y = Array::empty({c.m, c.n});
    const double operations = 2.0 * static_cast<double>(c.m * c.n * c.k);
    const std::string name = fmt::format("product/{}x{}x{}/", c.m, c.n, c.k);
    add(name + "matmul", operations, 0, [=] { benchmark::DoNotOptimize(k::matmul(a, b)); });
    add(name + "onednn", operations, 0, [=]() mutable {
      onednn::gemm(false, false, c.m, c.n, c.k, a.data<float>(), c.k, b.data<float>(), c.n, 0, y.data<float>(), c.n);
    });
    add(name + "openblas", operations, 0, [=]() mutable {
      threads();
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(c.m), static_cast<int>(c.n),
                  static_cast<int>(c.k), 1, a.data<float>(), static_cast<int>(c.k), b.data<float>(),
                  static_cast<int>(c.n), 0, y.data<float>(), static_cast<int>(c.n));
    });
  }
}

void add_convolutions() {
  struct Case {
    std::int64_t in, out, size, kernel, stride;
  };
  for (const Case& c : {Case{3, 64, 32, 3, 1}, Case{64, 64, 32, 3, 1}, Case{64, 128, 32, 3, 2}, Case{64, 128, 32, 1, 2},
                        Case{512, 512, 4, 3, 1}}) {
    const Conv2dOptions options{.stride = c.stride, .padding = c.kernel / 2};
    const Array x = normal({128, c.in, c.size, c.size}), w = normal({c.out, c.in, c.kernel, c.kernel}).contiguous();
    const Shape shape = k::conv2d_shape(x.shape(), w.shape(), options);
    const Array dy = normal(shape);
    Array y = normal(shape), dx = normal(x.shape()), dw = Array::empty(w.shape());
    const double operations =
        2.0 * static_cast<double>(shape.count()) * static_cast<double>(c.in * c.kernel * c.kernel);
    const std::string name =
        fmt::format("conv/{}-{}@{}/{}x{}/stride{}/", c.in, c.out, c.size, c.kernel, c.kernel, c.stride);
    add(name + "y/conv2d", operations, 0, [=] { benchmark::DoNotOptimize(k::conv2d(x, w, {}, options)); });
    add(name + "y/onednn", operations, 0, [=]() mutable { onednn::convolution(x, w, {}, options, y); });
    add(name + "dx/conv2d", operations, 0,
        [=] { benchmark::DoNotOptimize(k::conv2d_input_grad(dy, w, x.shape(), options)); });
    add(name + "dx/onednn", operations, 0, [=]() mutable { onednn::convolution_input_grad(dy, w, options, dx); });
    add(name + "dw/conv2d", operations, 0,
        [=] { benchmark::DoNotOptimize(k::conv2d_weight_grad(dy, x, w.shape(), options)); });
    add(name + "dw/onednn", operations, 0, [=]() mutable { onednn::convolution_weight_grad(dy, x, options, dw); });
  }
}

/// Kernels that are bound by memory, beside a copy that reads and writes as much.
void add_moves() {
  for (const Shape& shape : {Shape{128, 64, 32, 32}, Shape{128, 16, 32, 32}}) {
    const Array x = normal(shape), dy = normal(shape), w = normal({shape[1]}), b = normal({shape[1]});
    const double size = 4 * static_cast<double>(shape.count());
    const std::string name = fmt::format("move/{}@{}/", shape[1], shape[2]);
    Array to = normal(shape);
    add(name + "copy", 0, 2 * size, [=]() mutable {
      parallel_for(x.size(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
        std::memcpy(to.data<float>() + begin, x.data<float>() + begin, static_cast<std::size_t>(end - begin) * 4);
      });
    });
    add(name + "add", 0, 3 * size, [=] { benchmark::DoNotOptimize(k::add(x, dy)); });
    add(name + "relu", 0, 2 * size, [=] { benchmark::DoNotOptimize(k::relu(x)); });
    add(name + "relu_grad", 0, 3 * size, [=] { benchmark::DoNotOptimize(k::relu_grad(dy, x)); });
    add(name + "sum over channels' pixels", 0, size, [=] { benchmark::DoNotOptimize(k::sum(x, {0, 2, 3})); });
    const k::BatchNormForward forward = k::batch_norm_train(x, w, b, 1e-5, true);
    add(name + "batch_norm_train", 0, 2 * size,
        [=] { benchmark::DoNotOptimize(k::batch_norm_train(x, w, b, 1e-5, true)); });
    add(name + "batch_norm_train_grad", 0, 4 * size, [=] {
      benchmark::DoNotOptimize(k::batch_norm_train_grad(dy, x, w, forward.mean, forward.inverse_deviation, forward.y));
    });
    add(name + "max_pool2d", 0, size * 1.25, [=] { benchmark::DoNotOptimize(k::max_pool2d(x, {.kernel = 2})); });
    add(name + "from channels-last", 0, 2 * size, [=] { benchmark::DoNotOptimize(x.contiguous()); });
  }
  const Array rows = normal({700, 10000});
  add("rows/700x10000/softmax", 0, 8.0 * static_cast<double>(rows.size()),
      [=] { benchmark::DoNotOptimize(k::softmax(rows, 1)); });
  const Array tokens = normal({2048, 256}), w = normal({256}), b = normal({256});
  add("rows/2048x256/layer_norm", 0, 8.0 * static_cast<double>(tokens.size()),
      [=] { benchmark::DoNotOptimize(k::layer_norm(tokens, w, b, 1, 1e-5)); });
}

}  // namespace

int main(int argc, char** argv) {
  add_products();
  add_convolutions();
  add_moves();
  benchmark::Initialize(&argc, argv);
  benchmark::AddCustomContext("processor", processor_name());
  benchmark::AddCustomContext("instruction set", instruction_set());
  benchmark::AddCustomContext("threads", std::to_string(threads()));
  benchmark::RunSpecifiedBenchmarks();
}
