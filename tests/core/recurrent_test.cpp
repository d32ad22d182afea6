// The recurrences of LSTM and GRU: hand values, what lengths mean, errors, and the blocks of 16 units against the naive
// twin at sizes round every edge, and the LSTM against oneDNN's. Gradients by finite differences:
// tests/autograd/sequence_op_rows.h.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/product/panels.h>
#include <tandem/core/kernels/recurrent/gru.h>
#include <tandem/core/kernels/recurrent/lstm.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/threads.h>
#include <tests/core/onednn_lstm.h>

using namespace tandem;
using kernels::RecurrentSizes;

namespace {

Array normal(const Shape& shape, std::uint64_t seed, double deviation = 0.5) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x, 0, deviation);
  return x;
}

/// Recurrent weights under which states neither grow nor vanish.
Array weights(std::int64_t gates, std::int64_t H) {
  return normal({gates * H, H}, 2, 1 / std::sqrt(static_cast<double>(H)));
}

double difference(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = std::abs(x[i] - y[i]) / std::max(1.0, std::abs(y[i]));
    worst = std::isfinite(error) ? std::max(worst, error) : 1e300;
  }
  return worst;
}

Array f64(const Array& x) { return x.defined() ? x.to(DType::f64) : x; }

constexpr double kTolerance = 2e-5;  // of f32 against f64, after some steps

void check_lstm(const RecurrentSizes& s, bool states, const RecurrentOptions& options) {
  const Array x = normal({s.T, s.B, 4 * s.H}, 1), w = weights(4, s.H), dy = normal({s.T + 2, s.B, s.H}, 3);
  const Array h = states ? normal({s.B, s.H}, 4) : Array(), c = states ? normal({s.B, s.H}, 5) : Array();
  const auto fast = kernels::lstm(x, h, c, w, options);
  const auto naive = kernels::lstm(f64(x), f64(h), f64(c), f64(w), options);
  CHECK(difference(fast.y, naive.y) < kTolerance);
  const auto grads = kernels::lstm_grad(dy, fast, c, w, options);
  const auto twins = kernels::lstm_grad(f64(dy), naive, f64(c), f64(w), options);
  CHECK(difference(grads.dx, twins.dx) < kTolerance);
  CHECK(difference(grads.dh, twins.dh) < kTolerance);
  CHECK(difference(grads.dc, twins.dc) < kTolerance);
  CHECK(difference(kernels::recurrent_weight_grad(grads.dx, fast.y, h, options),
                   kernels::recurrent_weight_grad(twins.dx, naive.y, f64(h), options)) < 10 * kTolerance);
}

/// A whole layer, its inputs projected by hand, beside the primitive that does both in one.
void check_against_onednn(const RecurrentSizes& s, std::int64_t inputs, bool reverse) {
  const testing::LstmProblem p{normal({s.T, s.B, inputs}, 1),
                               normal({s.B, s.H}, 4),
                               normal({s.B, s.H}, 5),
                               normal({4 * s.H, inputs}, 6, 1 / std::sqrt(static_cast<double>(inputs))),
                               weights(4, s.H),
                               normal({4 * s.H}, 7),
                               reverse};
  const Array dy = normal({s.T + 2, s.B, s.H}, 3);
  const auto slice = [&](const Array& y, std::int64_t at) { return y.slice(0, at, at + 1).reshape({s.B, s.H}); };
  const auto judge = testing::onednn_lstm(p, {dy.slice(0, 0, s.T), slice(dy, s.T), slice(dy, s.T + 1)});

  const RecurrentOptions options{.reverse = reverse};
  const auto r = kernels::lstm(kernels::linear(p.x, p.w_input, p.bias), p.h, p.c, p.w_hidden, options);
  CHECK(difference(r.y.slice(0, 0, s.T), judge.output.y) < kTolerance);
  CHECK(difference(slice(r.y, s.T), judge.output.h) < kTolerance);
  CHECK(difference(slice(r.y, s.T + 1), judge.output.c) < kTolerance);

  const auto d = kernels::lstm_grad(dy, r, p.c, p.w_hidden, options);
  const Array rows = d.dx.reshape({s.T * s.B, 4 * s.H}), x = p.x.reshape({s.T * s.B, inputs});
  const testing::LstmGradients& g = judge.gradients;
  CHECK(difference(kernels::matmul(d.dx, p.w_input), g.x) < kTolerance);
  CHECK(difference(d.dh, g.h) < kTolerance);
  CHECK(difference(d.dc, g.c) < kTolerance);
  CHECK(difference(kernels::matmul(rows.transpose(0, 1), x), g.w_input) < 10 * kTolerance);
  CHECK(difference(kernels::recurrent_weight_grad(d.dx, r.y, p.h, options), g.w_hidden) < 10 * kTolerance);
  CHECK(difference(kernels::sum(d.dx, {0, 1}), g.bias) < 10 * kTolerance);
}

void check_gru(const RecurrentSizes& s, bool states, const RecurrentOptions& options) {
  const Array x = normal({s.T, s.B, 3 * s.H}, 1), w = weights(3, s.H), dy = normal({s.T + 1, s.B, s.H}, 3);
  const Array h = states ? normal({s.B, s.H}, 4) : Array(), b = states ? normal({3 * s.H}, 5) : Array();
  const auto fast = kernels::gru(x, h, w, b, options);
  const auto naive = kernels::gru(f64(x), f64(h), f64(w), f64(b), options);
  CHECK(difference(fast.y, naive.y) < kTolerance);
  const auto grads = kernels::gru_grad(dy, fast, h, w, options);
  const auto twins = kernels::gru_grad(f64(dy), naive, f64(h), f64(w), options);
  CHECK(difference(grads.dx, twins.dx) < kTolerance);
  CHECK(difference(grads.dz, twins.dz) < kTolerance);
  CHECK(difference(grads.dh, twins.dh) < kTolerance);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("panels: the product of any number of rows equals the naive one") {
  for (const std::int64_t M : {1, 2, 5, 6, 7, 13, 20}) {
    for (const std::int64_t K : {1, 3, 384, 385, 900}) {
      CAPTURE(M);
      CAPTURE(K);
      const Array x = normal({M, K}, 1), w = normal({K, 16}, 2);
      Array panel = Array::empty({K, 16}), y = Array::empty({M, 16});
      kernels::pack_panel({w.data<float>(), 16, 1}, K, 16, panel.data<float>());
      kernels::multiply_panel(x.data<float>(), K, panel.data<float>(), M, K, y.data<float>());
      CHECK(difference(y, kernels::matmul(f64(x), f64(w))) < kTolerance);
      const Array transposed = w.transpose(0, 1).contiguous();
      kernels::pack_panel({transposed.data<float>(), 1, K}, K, 10, panel.data<float>());
      kernels::multiply_panel(x.data<float>(), K, panel.data<float>(), M, K, y.data<float>());
      CHECK(difference(y.slice(1, 0, 10), kernels::matmul(f64(x), f64(w).slice(1, 0, 10))) < kTolerance);
      CHECK(difference(y.slice(1, 10, 16), Array::zeros({M, 6})) == 0);
    }
  }
}

TEST_CASE("lstm: one unit, one step, on paper") {
  // z = x + h w = (0, 0, 1, 0) + 0: i = f = o = 1/2, g = tanh 1; c = 1/2 * 2 + 1/2 tanh 1, h = 1/2 tanh c
  const Array x = Array::from({0, 0, 1, 0}, {1, 1, 4}), w = Array::from({1, 1, 1, 1}, {4, 1});
  const auto r = kernels::lstm(x, Array::zeros({1, 1}), Array::from({2}, {1, 1}), w);
  const double c = 1 + std::tanh(1.0) / 2;
  CHECK(r.y.at({0, 0, 0}) == doctest::Approx(std::tanh(c) / 2));
  CHECK(r.y.at({1, 0, 0}) == doctest::Approx(std::tanh(c) / 2));
  CHECK(r.y.at({2, 0, 0}) == doctest::Approx(c));
}

TEST_CASE("gru: one unit, one step, on paper") {
  // r = z = 1/2; n = tanh(0 + 1/2 (2 * 1 + 0)) = tanh 1; h = 1/2 tanh 1 + 1/2 * 2
  const Array x = Array::from({-2, -2, 0}, {1, 1, 3}), w = Array::from({1, 1, 1}, {3, 1});
  const auto r = kernels::gru(x, Array::from({2}, {1, 1}), w, {});
  CHECK(r.y.at({0, 0, 0}) == doctest::Approx(std::tanh(1.0) / 2 + 1));
  CHECK(r.y.at({1, 0, 0}) == doctest::Approx(std::tanh(1.0) / 2 + 1));
}

TEST_CASE("lstm: a layer equals oneDNN's primitive, forward and backward, in both directions") {
  for (const RecurrentSizes& s : {RecurrentSizes{1, 1, 1}, {3, 2, 15}, {9, 5, 48}, {4, 20, 200}}) {
    CAPTURE(s.T);
    CAPTURE(s.B);
    CAPTURE(s.H);
    for (const bool reverse : {false, true}) check_against_onednn(s, s.H + 3, reverse);
  }
}

TEST_CASE("recurrences in blocks equal their naive twins") {
  for (const RecurrentSizes& s :
       {RecurrentSizes{1, 1, 1}, {3, 2, 15}, {4, 1, 16}, {3, 7, 17}, {2, 13, 40}, {5, 3, 100}}) {
    CAPTURE(s.T);
    CAPTURE(s.B);
    CAPTURE(s.H);
    for (const bool reverse : {false, true}) {
      RecurrentOptions options{.reverse = reverse};
      check_lstm(s, true, options);
      check_lstm(s, false, options);
      check_gru(s, true, options);
      check_gru(s, false, options);
      for (std::int64_t b = 0; b < s.B; ++b) options.lengths.push_back(1 + (b * 5 + 1) % s.T);
      check_lstm(s, true, options);
      check_lstm(s, false, options);
      check_gru(s, true, options);
      check_gru(s, false, options);
    }
  }
}

TEST_CASE("a sequence with a length gives what it gives alone, then zeros") {
  const std::int64_t T = 5, B = 3, H = 18;
  const Array x = normal({T, B, 4 * H}, 1), w = weights(4, H), h = normal({B, H}, 3), c = normal({B, H}, 4);
  const std::vector<std::int64_t> lengths{2, 5, 1};
  for (const bool reverse : {false, true}) {
    const auto together = kernels::lstm(x, h, c, w, {.reverse = reverse, .lengths = lengths});
    for (std::int64_t b = 0; b < B; ++b) {
      const std::int64_t n = lengths[static_cast<std::size_t>(b)];
      const auto alone = kernels::lstm(x.slice(0, 0, n).slice(1, b, b + 1), h.slice(0, b, b + 1), c.slice(0, b, b + 1),
                                       w, {.reverse = reverse});
      CHECK(difference(together.y.slice(0, 0, n).slice(1, b, b + 1), alone.y.slice(0, 0, n)) < 1e-6);
      CHECK(difference(together.y.slice(0, T, T + 2).slice(1, b, b + 1), alone.y.slice(0, n, n + 2)) < 1e-6);
      if (n < T) CHECK(difference(together.y.slice(0, n, T).slice(1, b, b + 1), Array::zeros({T - n, 1, H})) == 0);
    }
  }
}

TEST_CASE("recurrences give the same bits on any number of threads") {
  const int before = threads();
  const std::int64_t T = 4, B = 12, H = 200;
  const Array x = normal({T, B, 4 * H}, 1), w = weights(4, H), dy = normal({T + 2, B, H}, 3);
  const Array h = normal({B, H}, 4), c = normal({B, H}, 5), b = normal({3 * H}, 6);
  const Array gru_x = x.slice(2, 0, 3 * H).contiguous(), gru_w = weights(3, H), gru_dy = dy.slice(0, 0, T + 1);
  const auto all = [&](int team) {
    set_threads(team);
    const auto lstm = kernels::lstm(x, h, c, w);
    const auto dlstm = kernels::lstm_grad(dy, lstm, c, w, {});
    const auto gru = kernels::gru(gru_x, h, gru_w, b);
    const auto dgru = kernels::gru_grad(gru_dy, gru, h, gru_w, {});
    // Not the gradients of weights: they are products, whose sums a team divides.
    return std::vector<Array>{lstm.y, dlstm.dx, dlstm.dh, dlstm.dc, gru.y, dgru.dx, dgru.dz, dgru.dh};
  };
  const std::vector<Array> one = all(1);
  for (const int team : {2, 3}) {
    const std::vector<Array> other = all(team);
    for (std::size_t i = 0; i < one.size(); ++i) {
      CAPTURE(i);
      CHECK(identical(one[i], other[i]));
    }
  }
  set_threads(before);
}

TEST_CASE("recurrences refuse what does not fit") {
  const Array x = Array::zeros({2, 3, 8}), w = Array::zeros({8, 2});
  CHECK(message_of([&] {
          kernels::lstm(x, {}, {}, Array::zeros({6, 2}));
        }) == "lstm: x must be [T, B, 4 H] and w [4 H, H]: x [2, 3, 8], w [6, 2]");
  CHECK(message_of([&] {
          kernels::lstm(x, Array::zeros({2, 2}), {}, w);
        }) == "lstm: a first state must be [3, 2]: state [2, 2], x [2, 3, 8], w [8, 2]");
  CHECK(message_of([&] {
          kernels::lstm(x, {}, {}, w, {.lengths = {1, 2}});
        }) == "lstm: there must be one length for each sequence of the batch: 2 lengths, 3 sequences");
  CHECK(message_of([&] {
          kernels::lstm(x, {}, {}, w, {.lengths = {1, 3, 2}});
        }) == "lstm: lengths must be from 1 to 2: sequence 1 has 3");
  CHECK(message_of([&] {
          kernels::lstm(Array::zeros({0, 3, 8}), {}, {}, w);
        }) == "lstm: there is nothing to go through: x [0, 3, 8], w [8, 2]");
  CHECK(message_of([&] {
          kernels::gru(Array::zeros({2, 3, 6}), {}, Array::zeros({6, 2}), Array::zeros({5}));
        }) == "gru: b must be [6]: b [5]");
}
