// Ops of sequences: what the tables of ops cannot say. Finite masks on all keys of a query, whose scores f64 rounds
// differently from f32, and the errors of recurrences, which name what the caller gave.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tandem/autograd/sequence_ops.h>

#include "autograd/ops_helpers.h"

using namespace tandem;
using namespace tandem::test;

namespace {

Array normal(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x);
  return x;
}

double difference(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = std::abs(x[i] - y[i]);
    worst = std::isfinite(error) ? std::max(worst, error) : 1e300;
  }
  return worst;
}

Tensor zeros(const Shape& shape) { return Array::zeros(shape); }

}  // namespace

TEST_CASE("attention: finite masks on all keys of a query, f32 and f64, fused and recorded") {
  const std::int64_t S = 20;
  const Array q = normal({1, 2, 3, 8}, 1), k = normal({1, 2, S, 8}, 2), v = normal({1, 2, S, 5}, 3);
  // Queries 0 and 1 and the keys lie in different channels: scores of 0, which f32 and f64 round alike beside -1e9.
  q.slice(2, 0, 2).slice(3, 4, 8).fill(0);
  k.slice(3, 0, 4).fill(0);
  const Array hidden = Array::zeros({1, S}, DType::u8);
  hidden.slice(1, 0, 5).fill(1);
  for (const double low : {-1e9, static_cast<double>(std::numeric_limits<float>::lowest())}) {
    CAPTURE(low);
    const Array mask = Array::zeros({3, S});
    mask.slice(0, 0, 2).fill(low);
    mask.slice(0, 2, 3).slice(1, 0, S / 2).fill(low);
    const auto outcome = [&](DType dtype, bool create_graph) {
      const std::vector<Tensor> in{Tensor(q.to(dtype), true), Tensor(k.to(dtype), true), Tensor(v.to(dtype), true)};
      const Tensor y = scaled_dot_product_attention(in[0], in[1], in[2], {.mask = mask, .hidden_keys = hidden});
      std::vector<Array> all{y.value()};
      const Tensor dy = normal(y.shape(), 4).to(dtype);
      for (const Tensor& g : grad({y}, in, {.create_graph = create_graph, .seeds = {dy}})) all.push_back(g.value());
      return all;
    };
    const std::vector<Array> truth = outcome(DType::f64, false);
    for (const DType dtype : {DType::f32, DType::f64}) {
      for (const bool create_graph : {false, true}) {
        CAPTURE(create_graph);
        const std::vector<Array> other = outcome(dtype, create_graph);
        for (std::size_t i = 0; i < truth.size(); ++i) {
          CAPTURE(i);
          CHECK(difference(other[i], truth[i]) < (dtype == DType::f64 ? 1e-12 : 1e-5));
        }
      }
    }
  }
}

TEST_CASE("recurrences name the shapes that the caller gave") {
  const Tensor x = zeros({4, 3, 5}), w_ih = zeros({8, 5}), w_hh = zeros({8, 2}), b = zeros({8});
  const auto lstm_error = [&](const Tensor& in, const Tensor& h, const Tensor& w, const Tensor& bias) {
    return message_of([&] { lstm(in, h, {}, w, w_hh, b, bias); });
  };
  const std::string rule = "lstm: x must be [T, B, I], w_ih [4 H, I], w_hh [4 H, H]: ";
  CHECK(lstm_error(zeros({3, 5}), {}, w_ih, b) == rule + "x [3, 5], w_ih [8, 5], w_hh [8, 2]");
  CHECK(lstm_error(x, {}, zeros({8, 6}), b) == rule + "x [4, 3, 5], w_ih [8, 6], w_hh [8, 2]");
  CHECK(lstm_error(x, {}, zeros({6, 5}), b) == rule + "x [4, 3, 5], w_ih [6, 5], w_hh [8, 2]");
  CHECK(lstm_error(x, {}, w_ih, zeros({1})) ==
        "lstm: b_hh must be [8]: b_hh [1], x [4, 3, 5], w_ih [8, 5], w_hh [8, 2]");
  CHECK(lstm_error(x, zeros({2, 2}), w_ih, b) ==
        "lstm: h must be [3, 2]: h [2, 2], x [4, 3, 5], w_ih [8, 5], w_hh [8, 2]");
  CHECK(lstm_error({}, {}, w_ih, b) == "lstm: x is not defined");
  CHECK(message_of([&] {
          gru(zeros({3, 5}), {}, w_ih, w_hh, b, b);
        }) == "gru: x must be [T, B, I], w_ih [3 H, I], w_hh [3 H, H]: x [3, 5], w_ih [8, 5], w_hh [8, 2]");
  CHECK(message_of([&] {
          gru(x, {}, zeros({6, 5}), w_hh, b, b);
        }) == "gru: x must be [T, B, I], w_ih [3 H, I], w_hh [3 H, H]: x [4, 3, 5], w_ih [6, 5], w_hh [8, 2]");

  const Tensor step = zeros({3, 5}), state = zeros({3, 2});
  CHECK(message_of([&] { lstm_cell(step, {}, state, w_ih, w_hh, b, b); }) == "lstm_cell: h is not defined");
  CHECK(message_of([&] { lstm_cell(step, state, {}, w_ih, w_hh, b, b); }) == "lstm_cell: c is not defined");
  CHECK(message_of([&] { gru_cell(step, {}, w_ih, w_hh, b, b); }) == "gru_cell: h is not defined");
  CHECK(message_of([&] { lstm_cell(x, state, state, w_ih, w_hh, b, b); }) ==
        "lstm_cell: x must be [B, I], w_ih [4 H, I], w_hh [4 H, H]: x [4, 3, 5], w_ih [8, 5], w_hh [8, 2]");
}

TEST_CASE("sequence ops of bf16: outputs and gradients are bf16, near those of f32") {
  Generator generator(11);
  const auto random = [&](const Shape& shape) {
    Array a = Array::empty(shape);
    generator.fill_normal(a, 0, 0.5);
    return a.to(DType::bf16);
  };
  const auto check = [](const std::vector<Array>& values, auto&& op) {
    std::vector<Tensor> narrow, wide;
    for (const Array& v : values) narrow.emplace_back(v, true), wide.emplace_back(v.to(DType::f32), true);
    const Tensor y = op(narrow), twin = op(wide);
    REQUIRE(y.value().dtype() == DType::bf16);
    const std::vector<Tensor> left = grad({sum(y)}, narrow), right = grad({sum(twin)}, wide);
    for (std::size_t i = 0; i < left.size(); ++i) {
      REQUIRE(left[i].value().dtype() == DType::bf16);
      const std::vector<double> a = left[i].value().to_vector<double>(), b = right[i].value().to_vector<double>();
      // a few roundings of 2^-8 a step, added over the batch
      for (std::size_t k = 0; k < a.size(); ++k) CHECK(std::abs(a[k] - b[k]) < 0.05 * std::max(1.0, std::abs(b[k])));
    }
  };
  const std::int64_t T = 3, B = 2, I = 4, H = 5;
  check({random({T, B, I}), random({4 * H, I}), random({4 * H, H}), random({4 * H})},
        [](const std::vector<Tensor>& in) { return lstm(in[0], {}, {}, in[1], in[2], in[3], {}).y; });
  check({random({T, B, I}), random({3 * H, I}), random({3 * H, H}), random({3 * H}), random({3 * H})},
        [](const std::vector<Tensor>& in) { return gru(in[0], {}, in[1], in[2], in[3], in[4]).y; });
  check({random({2, 3, 7, 4}), random({2, 3, 9, 4}), random({2, 3, 9, 5})},
        [](const std::vector<Tensor>& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {}); });
  check({random({6, 4}), random({4}), random({4})},
        [](const std::vector<Tensor>& in) { return layer_norm(in[0], in[1], in[2]); });
}
