// Kernels on bf16 and f16 against their naive twins in double on the same, rounded, inputs: what is computed in f32 is
// rounded once, so results differ by half a unit in the last place and the error of f32.
// Elementwise kernels and reductions: their own tests. Pooling and batch normalisation: pool2d_test, batch_norm_test.
#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

#include <tandem/core/kernels/attention/attention.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/core/kernels/normalise/group_norm.h>
#include <tandem/core/kernels/normalise/layer_norm.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/recurrent/gru.h>
#include <tandem/core/kernels/recurrent/lstm.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

/// A dtype and half a unit in its last place, relative.
struct Narrow {
  DType dtype;
  double half_unit;
};
struct Grouped {
  Shape shape;
  std::int64_t groups;
};
/// An index of `count` rows out of `rows` of n numbers.
struct Table {
  std::int64_t rows, count, n;
};
constexpr Narrow kNarrow[] = {{DType::bf16, 0x1p-8}, {DType::f16, 0x1p-11}};

Array wide(const Array& x) { return x.defined() ? x.to(DType::f64) : x; }

/// The largest |x - y| over the larger of 1 and |y|, where x must be of the dtype.
double error_of(const Array& x, const Array& y, DType dtype) {
  REQUIRE(x.dtype() == dtype);
  return 2 * worst_error(x, y);  // worst_error divides by 1 + |y|
}

}  // namespace

TEST_CASE("layer_norm of narrow floats, with parameters of either dtype") {
  Generator g(1);
  for (const Narrow& t : kNarrow)
    for (const DType of_weights : {t.dtype, DType::f32})
      for (const Shape& shape : {Shape{5, 3}, Shape{7, 64}, Shape{300, 129}, Shape{2, 1500}}) {
        CAPTURE(shape.to_string());
        CAPTURE(name(t.dtype));
        const Array x = random_array(g, shape).to(t.dtype), dy = random_array(g, shape).to(t.dtype);
        const Array w = random_array(g, {shape[1]}).to(of_weights), b = random_array(g, {shape[1]}).to(of_weights);
        const auto f = k::layer_norm(x, w, b, 1, 1e-5);
        const auto twin = k::layer_norm(wide(x), wide(w), wide(b), 1, 1e-5);
        CHECK(error_of(f.y, twin.y, t.dtype) < 2 * t.half_unit + 1e-4);
        CHECK(error_of(f.mean, twin.mean, DType::f32) < 1e-6);
        const auto d = k::layer_norm_grad(dy, x, w, f.mean, f.inverse_deviation, 1);
        const auto e = k::layer_norm_grad(wide(dy), wide(x), wide(w), twin.mean, twin.inverse_deviation, 1);
        CHECK(error_of(d.dx, e.dx, t.dtype) < 2 * t.half_unit + 1e-4);
        const double of_sums = of_weights == DType::f32 ? 1e-4 : 2 * t.half_unit + 1e-4;
        CHECK(error_of(d.dw, e.dw, of_weights) < of_sums);
        CHECK(error_of(d.db, e.db, of_weights) < of_sums);
      }
}

TEST_CASE("group_norm of narrow floats, with parameters of either dtype") {
  Generator g(2);
  for (const Narrow& t : kNarrow)
    for (const DType of_weights : {t.dtype, DType::f32})
      for (const Grouped& c : {Grouped{{2, 6, 5, 5}, 3}, {{3, 16, 9, 8}, 4}, {{1, 40, 40, 40}, 8}, {{4, 5}, 1}}) {
        const Shape& shape = c.shape;
        CAPTURE(shape.to_string());
        CAPTURE(name(t.dtype));
        const Array x = random_array(g, shape, Memory::channels_last).to(t.dtype),
                    dy = random_array(g, shape).to(t.dtype);
        const Array w = random_array(g, {shape[1]}).to(of_weights), b = random_array(g, {shape[1]}).to(of_weights);
        const auto f = k::group_norm(x, c.groups, w, b, 1e-5);
        const auto twin = k::group_norm(wide(x), c.groups, wide(w), wide(b), 1e-5);
        CHECK(error_of(f.y, twin.y, t.dtype) < 2 * t.half_unit + 1e-4);
        const auto d = k::group_norm_grad(dy, x, w, f.mean, f.inverse_deviation);
        const auto e = k::group_norm_grad(wide(dy), wide(x), wide(w), twin.mean, twin.inverse_deviation);
        CHECK(error_of(d.dx, e.dx, t.dtype) < 2 * t.half_unit + 1e-4);
        const double of_sums = of_weights == DType::f32 ? 1e-4 : 2 * t.half_unit + 1e-4;
        CHECK(error_of(d.dw, e.dw, of_weights) < of_sums);
        CHECK(error_of(d.db, e.db, of_weights) < of_sums);
      }
}

TEST_CASE("softmax and cross-entropy of narrow floats: losses are f32") {
  Generator g(3);
  for (const Narrow& t : kNarrow)
    for (const Shape& shape : {Shape{5, 3}, Shape{64, 65}, Shape{2, 3000}}) {
      CAPTURE(shape.to_string());
      const Array x = random_array(g, shape).to(t.dtype), dy = random_array(g, shape).to(t.dtype);
      const double limit = 2 * t.half_unit + 2e-5;
      const Array y = k::softmax(x, 1), l = k::log_softmax(x, 1);
      CHECK(error_of(y, k::softmax(wide(x), 1), t.dtype) < limit);
      CHECK(error_of(l, k::log_softmax(wide(x), 1), t.dtype) < limit);
      CHECK(error_of(k::softmax_grad(dy, y, 1), k::softmax_grad(wide(dy), wide(y), 1), t.dtype) < limit);
      CHECK(error_of(k::log_softmax_grad(dy, l, 1), k::log_softmax_grad(wide(dy), wide(l), 1), t.dtype) < limit);
      const Array labels = Array::zeros({shape[0]}, DType::i64);
      Array kept, kept_wide;
      const Array loss = k::cross_entropy(x, labels, 0.1, -100, &kept);
      const Array twin = k::cross_entropy(wide(x), labels, 0.1, -100, &kept_wide);
      CHECK(error_of(loss, twin, DType::f32) < 2e-5);
      CHECK(error_of(kept, kept_wide, DType::f32) < 2e-5);
      const Array dx = k::cross_entropy_grad(loss, x, kept, labels, 0.1, -100);
      CHECK(dx.dtype() == t.dtype);
      CHECK(error_of(dx, k::cross_entropy_grad(twin, wide(x), kept_wide, labels, 0.1, -100), t.dtype) < limit);
    }
}

TEST_CASE("softmax over any dim of any memory order equals that of rows, bit for bit") {
  Generator g(4);
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (const Memory memory : kMemories)
      for (int dim = 0; dim < 4; ++dim) {
        CAPTURE(dim);
        CAPTURE(static_cast<int>(memory));
        const Shape shape{3, 5, 4, 6};
        const Array x = random_array(g, shape, memory).to(dtype), dy = random_array(g, shape, memory).to(dtype);
        const Array rows = x.transpose(dim, 3).contiguous(), dy_rows = dy.transpose(dim, 3).contiguous();
        const Array y = k::softmax(x, dim), y_rows = k::softmax(rows, 3);
        CHECK(identical(y.transpose(dim, 3), y_rows));
        CHECK(y.layout() == x.layout());
        CHECK(identical(k::log_softmax(x, dim).transpose(dim, 3), k::log_softmax(rows, 3)));
        CHECK(identical(k::softmax_grad(dy, y, dim).transpose(dim, 3), k::softmax_grad(dy_rows, y_rows, 3)));
        // dy in another order than y
        CHECK(
            identical(k::softmax_grad(dy.contiguous(), y, dim).transpose(dim, 3), k::softmax_grad(dy_rows, y_rows, 3)));
      }
}

TEST_CASE("take_rows_grad of narrow floats sums in f32 and rounds once") {
  Generator g(5);
  const int before = threads();
  for (const DType dtype : {DType::bf16, DType::f16, DType::f32})
    for (const Table& c : {Table{7, 300, 5}, {1000, 40, 300}, {1, 2000, 17}, {400, 3000, 64}}) {
      const std::int64_t rows = c.rows, count = c.count, n = c.n;
      CAPTURE(count);
      CAPTURE(name(dtype));
      Array index = Array::empty({count}, DType::i64);
      for (std::int64_t i = 0; i < count; ++i) index.data<std::int64_t>()[i] = g.below(rows);
      const Array dy = random_array(g, {count, n}).to(dtype);
      const Array y = k::take_rows_grad(dy, index, {rows, n});
      const double half_unit = dtype == DType::bf16 ? 0x1p-8 : dtype == DType::f16 ? 0x1p-11 : 0x1p-24;
      CHECK(error_of(y, k::take_rows_grad(wide(dy), index, {rows, n}), dtype) < 2 * half_unit + 1e-5);
      for (const int team : {1, 3}) {
        set_threads(team);
        CHECK(identical(k::take_rows_grad(dy, index, {rows, n}), y));
      }
      set_threads(before);
    }
}

TEST_CASE("attention of narrow floats") {
  Generator g(6);
  for (const Narrow& t : kNarrow)
    for (const bool causal : {false, true})
      for (const double dropout : {0.0, 0.3}) {
        CAPTURE(name(t.dtype));
        CAPTURE(causal);
        CAPTURE(dropout);
        AttentionOptions options{.causal = causal, .dropout = dropout, .generator = Generator(9)};
        options.mask = random_array(g, {70, 90});
        options.hidden_keys = Array::zeros({2, 90}, DType::u8);
        options.hidden_keys.set({1, 89}, 1);
        const auto heads = [&](std::int64_t rows, std::int64_t d) {  // in memory [B, T, h, d]
          return random_array(g, {2, rows, 3, d}).to(t.dtype).transpose(1, 2);
        };
        const Array q = heads(70, 8), key = heads(90, 8), v = heads(90, 5), dy = heads(70, 5);
        const auto f = k::attention(q, key, v, options);
        const auto twin = k::attention(wide(q), wide(key), wide(v), options);
        CHECK(f.rows.dtype() == DType::f32);
        CHECK(error_of(f.y, twin.y, t.dtype) < 2 * t.half_unit + 1e-4);
        Array dq = Array::empty(q.shape(), t.dtype), dk = Array::empty(key.shape(), t.dtype);
        Array dv = Array::empty(v.shape(), t.dtype);
        k::attention_grad(dy, q, key, v, f, options, dq, dk, dv);
        Array eq = Array::empty(q.shape(), DType::f64), ek = Array::empty(key.shape(), DType::f64);
        Array ev = Array::empty(v.shape(), DType::f64);
        k::attention_grad(wide(dy), wide(q), wide(key), wide(v), twin, options, eq, ek, ev);
        // y is rounded before sum(dy y) over 5 channels is taken from ds, which meets keys: 5 |dy| |y| |k| / sqrt(8)
        const double limit = 5 * 3 * 3 * 3 / std::sqrt(8.0) * t.half_unit + 1e-4;
        CHECK(error_of(dq, eq, t.dtype) < limit);
        CHECK(error_of(dk, ek, t.dtype) < limit);
        CHECK(error_of(dv, ev, t.dtype) < 2 * t.half_unit + 1e-4);
      }
}

TEST_CASE("lstm and gru of narrow floats: states are rounded once a step") {
  Generator g(7);
  for (const Narrow& t : kNarrow)
    for (const RecurrentOptions& options :
         {RecurrentOptions{}, RecurrentOptions{.reverse = true}, RecurrentOptions{.lengths = {5, 2, 4}},
          RecurrentOptions{.reverse = true, .lengths = {5, 2, 4}}})
      for (const std::int64_t H : {5, 16, 35}) {
        CAPTURE(name(t.dtype));
        CAPTURE(H);
        const std::int64_t T = 5, B = 3;
        const auto random = [&](const Shape& shape, double size) {
          Array x = Array::empty(shape);
          g.fill_normal(x, 0, size);
          return x.to(t.dtype);
        };
        const double of_weights = 1 / std::sqrt(static_cast<double>(H));
        const double limit = 4 * T * t.half_unit + 1e-4;  // states, gates and gradients: each step adds its roundings
        const Array h = random({B, H}, 0.5), c = random({B, H}, 0.5);
        {
          const Array x = random({T, B, 4 * H}, 0.5), w = random({4 * H, H}, of_weights);
          const Array dy = random({T + 2, B, H}, 0.5);
          const auto f = k::lstm(x, h, c, w, options);
          const auto twin = k::lstm(wide(x), wide(h), wide(c), wide(w), options);
          CHECK(f.cells.dtype() == DType::f32);
          CHECK(error_of(f.y, twin.y, t.dtype) < limit);
          const auto d = k::lstm_grad(dy, f, c, w, options);
          const auto e = k::lstm_grad(wide(dy), twin, wide(c), wide(w), options);
          CHECK(error_of(d.dx, e.dx, t.dtype) < limit);
          CHECK(error_of(d.dh, e.dh, t.dtype) < limit);
          CHECK(error_of(d.dc, e.dc, t.dtype) < limit);
        }
        {
          const Array x = random({T, B, 3 * H}, 0.5), w = random({3 * H, H}, of_weights), b = random({3 * H}, 0.5);
          const Array dy = random({T + 1, B, H}, 0.5);
          const auto f = k::gru(x, h, w, b, options);
          const auto twin = k::gru(wide(x), wide(h), wide(w), wide(b), options);
          CHECK(error_of(f.y, twin.y, t.dtype) < limit);
          const auto d = k::gru_grad(dy, f, h, w, options);
          const auto e = k::gru_grad(wide(dy), twin, wide(h), wide(w), options);
          CHECK(error_of(d.dx, e.dx, t.dtype) < limit);
          CHECK(error_of(d.dz, e.dz, t.dtype) < limit);
          CHECK(error_of(d.dh, e.dh, t.dtype) < limit);
        }
      }
}
