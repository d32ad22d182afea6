// The loops of pool/, normalise/, reduce/, move/, attention/ and recurrent/, f32 beside bf16, at sizes that models
// have.
//   OMP_NUM_THREADS=1 build/bin/loops_benchmark --benchmark_filter='pool' --benchmark_min_time=0.1
// A benchmark's name: kernel, dtype, shape. Bytes per second count what must be read and written once.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <functional>
#include <string>

#include <tandem/core/generator.h>
#include <tandem/core/kernels/attention/attention.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/core/kernels/normalise/batch_norm.h>
#include <tandem/core/kernels/normalise/group_norm.h>
#include <tandem/core/kernels/normalise/layer_norm.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/pool/pool2d.h>
#include <tandem/core/kernels/recurrent/gru.h>
#include <tandem/core/kernels/recurrent/lstm.h>
#include <tandem/core/kernels/reduce/reduce.h>

using namespace tandem;
namespace k = tandem::kernels;

namespace {

Array normal(const Shape& shape, DType dtype, Layout layout = Layout::row_major) {
  static Generator g(1);
  Array x = Array::empty(shape, DType::f32, layout);
  g.fill_normal(x);
  return x.to(dtype);
}
Array images(const Shape& shape, DType dtype) { return normal(shape, dtype, Layout::channels_last); }

/// `numbers` of the dtype are what one call must at least move.
void add(const std::string& kernel, DType dtype, const std::string& detail, std::int64_t numbers,
         std::function<void()> call) {
  const auto bytes = numbers * static_cast<std::int64_t>(size_of(dtype));
  benchmark::RegisterBenchmark(fmt::format("{}/{}/{}", kernel, name(dtype), detail).c_str(),
                               [bytes, call = std::move(call)](benchmark::State& state) {
                                 for (auto _ : state) call();
                                 state.SetBytesProcessed(state.iterations() * bytes);
                               })
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

void add_pooling(DType dtype) {
  const auto windows = [&](const Shape& shape, const Pool2dOptions& o, const char* kind) {
    const Array x = images(shape, dtype);
    const auto [y, chosen] = k::max_pool2d(x, o);
    const std::string text = fmt::format("{} {}", shape.to_string(), kind);
    const std::int64_t numbers = x.size() + y.size();
    add("max_pool2d", dtype, text, numbers, [=] { k::max_pool2d(x, o); });
    add("max_pool2d_grad", dtype, text, numbers,
        [=, dy = y, places = chosen] { k::max_pool2d_grad(dy, places, shape, o); });
    add("average_pool2d", dtype, text, numbers, [=] { k::average_pool2d(x, o); });
    add("average_pool2d_grad", dtype, text, numbers, [=, dy = y] { k::average_pool2d_grad(dy, shape, o); });
  };
  for (const Shape& shape : {Shape{64, 6, 28, 28}, Shape{64, 32, 28, 28}, Shape{64, 16, 10, 10}, Shape{64, 64, 10, 10}})
    windows(shape, {}, "2x2");
  for (const Shape& shape : {Shape{16, 64, 56, 56}, Shape{64, 16, 28, 28}})
    windows(shape, {.kernel = 3, .stride = 2, .padding = 1}, "3x3 by 2");
  const Array x = images({128, 512, 4, 4}, dtype);
  add("global_average_pool2d", dtype, x.shape().to_string(), x.size(), [=] { k::global_average_pool2d(x); });
}

void add_batch_norm(DType dtype) {
  for (const Shape& shape : {Shape{128, 16, 32, 32}, Shape{128, 64, 8, 8}, Shape{64, 64, 32, 32}, Shape{128, 512, 4, 4},
                             Shape{64, 10, 28, 28}, Shape{64, 24, 28, 28}, Shape{16, 16, 16, 16}, Shape{128, 128}}) {
    const Array x = images(shape, dtype), dy = images(shape, dtype), other = images(shape, dtype);
    const Array w = normal({shape[1]}, DType::f32), b = normal({shape[1]}, DType::f32);
    const auto f = k::batch_norm_train(x, w, b, 1e-5, true);
    const std::string text = shape.to_string();
    add("batch_norm", dtype, text, 2 * x.size(), [=] { k::batch_norm_train(x, w, b, 1e-5, true); });
    add("batch_norm_join", dtype, text, 3 * x.size(), [=] { k::batch_norm_train(x, w, b, 1e-5, true, other); });
    add("batch_norm_grad", dtype, text, 3 * x.size(),
        [=] { k::batch_norm_relu_grad(dy, x, w, b, f.mean, f.inverse_deviation); });
    add("batch_norm_join_grad", dtype, text, 5 * x.size(),
        [=] { k::batch_norm_train_grad(dy, x, w, f.mean, f.inverse_deviation, f.y, true); });
  }
}

void add_normalisation(DType dtype) {
  const Array x = images({32, 64, 32, 32}, dtype), dy = images({32, 64, 32, 32}, dtype), w = normal({64}, dtype);
  const auto f = k::group_norm(x, 8, w, w, 1e-5);
  add("group_norm", dtype, x.shape().to_string(), 2 * x.size(), [=] { k::group_norm(x, 8, w, w, 1e-5); });
  add("group_norm_grad", dtype, x.shape().to_string(), 3 * x.size(),
      [=] { k::group_norm_grad(dy, x, w, f.mean, f.inverse_deviation); });
  for (const std::int64_t n : {64, 256, 768}) {
    const Array rows = normal({4096, n}, dtype), drows = normal({4096, n}, dtype), scale = normal({n}, DType::f32);
    const auto g = k::layer_norm(rows, scale, scale, 1, 1e-5);
    const std::string text = rows.shape().to_string();
    add("layer_norm", dtype, text, 2 * rows.size(), [=] { k::layer_norm(rows, scale, scale, 1, 1e-5); });
    add("layer_norm_grad", dtype, text, 3 * rows.size(),
        [=] { k::layer_norm_grad(drows, rows, scale, g.mean, g.inverse_deviation, 1); });
  }
  const Array logits = normal({512, 10000}, dtype), labels = Array::zeros({512}, DType::i64);
  const Array y = k::softmax(logits, 1), l = k::log_softmax(logits, 1), pixels = images({16, 32, 64, 64}, dtype);
  const std::string text = logits.shape().to_string();
  add("softmax", dtype, text, 2 * y.size(), [=] { k::softmax(logits, 1); });
  add("softmax_grad", dtype, text, 3 * y.size(), [=] { k::softmax_grad(logits, y, 1); });
  add("log_softmax", dtype, text, 2 * y.size(), [=] { k::log_softmax(logits, 1); });
  add("log_softmax_grad", dtype, text, 3 * y.size(), [=] { k::log_softmax_grad(logits, l, 1); });
  add("cross_entropy", dtype, text, 2 * y.size(), [=] {
    Array kept;
    k::cross_entropy(logits, labels, 0, -100, &kept);
  });
  add("softmax over C", dtype, pixels.shape().to_string(), 2 * pixels.size(), [=] { k::softmax(pixels, 1); });
}

void add_moves(DType dtype) {
  const Array x = images({64, 64, 32, 32}, dtype), rows = normal({4096, 1024}, dtype);
  add("sum to C", dtype, x.shape().to_string(), x.size(), [=] { k::sum(x, {0, 2, 3}); });
  add("sum of rows", dtype, rows.shape().to_string(), rows.size(), [=] { k::sum(rows, {1}); });
  add("max of rows", dtype, rows.shape().to_string(), rows.size(), [=] { k::max(rows, {1}); });
  const auto embed = [&](std::int64_t words, std::int64_t count, std::int64_t n) {
    Array index = Array::empty({count}, DType::i64);
    for (std::int64_t i = 0; i < count; ++i) index.data<std::int64_t>()[i] = i * 7919 % words;
    const Array table = normal({words, n}, dtype), dy = normal({count, n}, dtype);
    const std::string text = fmt::format("{} of {}", to_string(dy.shape()), words);
    add("take_rows", dtype, text, 2 * dy.size(), [=] { k::take_rows(table, index); });
    add("take_rows_grad", dtype, text, dy.size() + table.size(), [=] { k::take_rows_grad(dy, index, {words, n}); });
  };
  embed(10000, 700, 650);
  embed(65, 4096, 128);
  const Array square = normal({1024, 1024}, dtype), one = normal({1, 64, 128, 128}, dtype);
  add("transpose", dtype, "[1024, 1024]", 2 * square.size(), [=] { square.transpose(0, 1).contiguous(); });
  add("to channels-last", dtype, one.shape().to_string(), 2 * one.size(),
      [=] { one.to_layout(Layout::channels_last); });
  add("pad", dtype, x.shape().to_string(), 2 * x.size(), [=] { k::pad(x, {0, 0, 1, 1}, {0, 0, 1, 1}, 0); });
  const Array u = normal({1 << 18}, dtype), v = normal({1 << 18}, dtype);
  const Array c = k::greater(u, v).to(DType::u8), few = normal({32}, dtype);
  add("where", dtype, "[262144] by u8", 3 * u.size(), [=] { k::where(c, u, v); });
  add("add", dtype, "[32]", 3 * few.size(), [=] { k::add(few, few); });
}

void add_sequences(DType dtype) {
  const Array q = normal({8, 8, 256, 64}, dtype), dy = normal({8, 8, 256, 64}, dtype);
  const AttentionOptions causal{.causal = true};
  const k::AttentionForward f = k::attention(q, q, q, causal);
  const Array out[3] = {normal(q.shape(), dtype), normal(q.shape(), dtype), normal(q.shape(), dtype)};
  add("attention", dtype, q.shape().to_string(), 4 * q.size(), [=] { k::attention(q, q, q, causal); });
  add("attention_grad", dtype, q.shape().to_string(), 8 * q.size(), [=] {
    Array dq = out[0], dk = out[1], dv = out[2];
    k::attention_grad(dy, q, q, q, f, causal, dq, dk, dv);
  });
  const Array x = normal({35, 20, 800}, dtype), w = normal({800, 200}, dtype), dh = normal({37, 20, 200}, dtype);
  const k::LstmForward l = k::lstm(x, {}, {}, w);
  add("lstm", dtype, "T 35, B 20, H 200", 2 * x.size(), [=] { k::lstm(x, {}, {}, w); });
  add("lstm_grad", dtype, "T 35, B 20, H 200", 2 * x.size(), [=] { k::lstm_grad(dh, l, {}, w); });
  const Array x3 = normal({35, 20, 600}, dtype), w3 = normal({600, 200}, dtype), dh3 = normal({36, 20, 200}, dtype);
  const k::GruForward r = k::gru(x3, {}, w3, {});
  add("gru", dtype, "T 35, B 20, H 200", 2 * x3.size(), [=] { k::gru(x3, {}, w3, {}); });
  add("gru_grad", dtype, "T 35, B 20, H 200", 2 * x3.size(), [=] { k::gru_grad(dh3, r, {}, w3); });
}

}  // namespace

int main(int argc, char** argv) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    add_pooling(dtype);
    add_batch_norm(dtype);
    add_normalisation(dtype);
    add_moves(dtype);
    add_sequences(dtype);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
