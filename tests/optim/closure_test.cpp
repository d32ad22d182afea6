// step(closure): adaptive alpha against its formula on a quadratic, a user's SAM, and gradients from several backwards.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <tandem/optim/combinator.h>

#include "support.h"

using namespace support;

namespace {

/// The loss 1/2 sum curvature (w - target)^2 as a graph.
Tensor quadratic_loss(const Tensor& w, const Array& curvature, double target) {
  const Tensor d = w - target;
  return sum(Tensor(curvature) * d * d) * 0.5;
}

}  // namespace

namespace own {

struct SamOptions {
  Schedule rho = 0.05;
  void fields(Fields& f) { f("rho", rho, kNotNegative, kAlways); }
};

/// SAM (Foret et al. 2021, "Sharpness-aware minimization", algorithm 1): the gradient at w + rho g / |g|.
template <class T>
class RunningSam : public GradientTransform<T> {
 public:
  RunningSam(const SamOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : GradientTransform<T>(std::move(inner)), options_(options), frame_(frame), point_(frame) {}
  void begin(std::int64_t index) override {
    rho_ = options_.rho.at(index);
    there_ = nullptr;
    has_asked_ = false;
    GradientTransform<T>::begin(index);
  }
  bool looks() const override { return true; }
  bool needs_closure() const override { return true; }
  bool look(const Look<T>& look) override {
    if (!has_asked_) {
      const T* g = look.gradients.read(0, frame_.size, nullptr);
      double square = 0;
      for_runs(frame_.arrived, 0, frame_.size, [&](std::int64_t begin, std::int64_t end, bool) {
        for (std::int64_t i = begin; i < end; ++i) square += static_cast<double>(g[i]) * static_cast<double>(g[i]);
      });
      for (std::int64_t i = 0; i < frame_.size; ++i) {
        *point_.at(i) = look.weight[i] + static_cast<T>(rho_ / std::sqrt(square)) * g[i];
      }
      look.seat.ask(point_.at(0));
      return has_asked_ = true;
    }
    there_ = static_cast<const T*>(look.seat.gradients());
    return GradientTransform<T>::look(look);
  }

 protected:
  const T* transform(const T*, std::int64_t begin, std::int64_t, T*) const override { return there_ + begin; }

 private:
  const SamOptions& options_;
  const Frame& frame_;
  Numbers<T> point_;
  const T* there_ = nullptr;
  bool has_asked_ = false;
  double rho_ = 0;
};

struct SamNode : Combinator<SamNode, SamOptions, RunningSam> {
  static constexpr const char* kName = "own_sam";
  using Combinator::Combinator;
};

Rule sam(const Rule& inner, const SamOptions& options = {}) { return combine<SamNode>(options, inner); }

}  // namespace own

TEST_CASE("a closure gives the gradients of the step and its loss is returned") {
  Tensor w(Array::full({2}, 3, DType::f64), true), v(Array::full({2}, 3, DType::f64), true);
  Optimizer with({{"w", w}}, lookahead(adam({.lr = 0.1}), {.k = 3})),
      without({{"v", v}}, lookahead(adam({.lr = 0.1}), {.k = 3}));
  const Array curvature = Array::from({1, 0.25}, {2}, DType::f64);
  int calls = 0;
  for (int t = 0; t < 7; ++t) {
    const Tensor before = quadratic_loss(v, curvature, 1);
    without.zero_grad();
    before.backward();
    without.step();
    const Tensor loss = with.step([&] {
      ++calls;
      Tensor l = quadratic_loss(w, curvature, 1);
      l.backward();
      return l;
    });
    CHECK(loss.item() == before.item());
    CHECK(identical(w.value(), v.value()));
  }
  CHECK(calls == 7);
  CHECK(with.step_count() == 7);
}

TEST_CASE("adaptive alpha is alpha* of a quadratic, clipped") {
  for (const double low : {0.0, 0.9}) {
    for (const int k : {1, 2, 5}) {
      const std::vector<double> a = {1, 0.1, 0.02, 1.9};
      const Array curvature = Array::from(a, {4});
      Tensor w(Array::full({4}, 3, DType::f64), true);
      Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = k, .adaptive = true, .alpha_low = low}));
      std::vector<double> slow(4, 3.0), fast = slow;
      int calls = 0;
      for (int t = 1; t <= 6 * k; ++t) {
        optimizer.step([&] {
          ++calls;
          Tensor loss = quadratic_loss(w, curvature, 1);
          loss.backward();
          return loss;
        });
        for (std::size_t i = 0; i < 4; ++i) fast[i] -= a[i] * (fast[i] - 1);
        if (t % k == 0) {
          double top = 0, bottom = 0;  // (t0 - t*)' A (t0 - tk) / ((t0 - tk)' A (t0 - tk))
          for (std::size_t i = 0; i < 4; ++i) {
            top += (slow[i] - 1) * a[i] * (slow[i] - fast[i]);
            bottom += (slow[i] - fast[i]) * a[i] * (slow[i] - fast[i]);
          }
          const double alpha = std::clamp(top / bottom, low, 1.0);
          for (std::size_t i = 0; i < 4; ++i) fast[i] = slow[i] += alpha * (fast[i] - slow[i]);
        }
        for (std::int64_t i = 0; i < 4; ++i) {
          CHECK(w.value().at({i}) == doctest::Approx(fast[static_cast<std::size_t>(i)]).epsilon(1e-10));
        }
      }
      CHECK(calls == 6 * (k + 2));
    }
  }
}

TEST_CASE(
    "adaptive alpha works in groups, nests and inside transforms; it goes down where the loss does not curve up") {
  Tensor w(Array::full({1}, 8, DType::f64), true);
  Optimizer slope(
      {{"w", w}},
      clip_norm(lookahead(lookahead(sgd({.lr = 1}), {.k = 1, .adaptive = true}), {.k = 2, .adaptive = true}), 10));
  for (int t = 0; t < 4; ++t) {
    slope.step([&] {
      w.accumulate_grad(Array::full({1}, 1, DType::f64));
      return Tensor();
    });
  }
  CHECK(w.item() == 4);  // a constant gradient: alpha is 1 everywhere
}

TEST_CASE("without a closure adaptive alpha is an error, and nothing has changed") {
  Tensor w(Array::full({1}, 8), true);
  Optimizer optimizer({{"w", w}}, parse_rule("ema(lookahead(sgd(lr=1), k=2, alpha=0.5, adaptive), decay=0.9)"));
  CHECK(optimizer.needs_closure());
  w.accumulate_grad(Array::full({1}, 1));
  CHECK(message([&] { optimizer.step(); }) ==
        "optimizer: the rule needs the loss at other weights: "
        "ema(lookahead(sgd(lr=1), k=2, alpha=0.5, adaptive), decay=0.9); call step(closure)");
  CHECK(w.item() == 8);
  CHECK(optimizer.step_count() == 0);
  CHECK(message([] { lookahead(sgd(), {.adaptive = true, .alpha_low = 2}); }) ==
        "lookahead: alpha_low is 2, must be in [0, 1]");
  CHECK(message([&] {
          Tensor v(Array::full({1}, 8), true);
          Optimizer({{"v", v}}, outer_loop(sgd(), lookahead(sgd(), {.adaptive = true})));
        }) == "outer_loop: the outer rule needs step(closure): lookahead(sgd(lr=0.1), k=5, alpha=0.5, adaptive)");
}

TEST_CASE("a closure that throws in the middle of a step changes nothing") {
  Tensor w(Array::full({1}, 8, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookahead(sgd({.lr = 1}), {.k = 1, .adaptive = true}));
  int calls = 0;
  CHECK_THROWS_AS(optimizer.step([&]() -> Tensor {
    if (++calls == 2) throw std::runtime_error("no more data");
    w.accumulate_grad(Array::full({1}, 1, DType::f64));
    return {};
  }),
                  std::runtime_error);
  CHECK(w.item() == 8);  // as before the step
  CHECK(optimizer.step_count() == 0);
}

TEST_CASE("a rule of a user evaluates elsewhere: SAM") {
  const Array curvature = Array::from({1, 0.25, 4}, {3}, DType::f64);
  for (const bool is_wrapped : {false, true}) {
    Tensor w(Array::from({3, -1, 0.5}, {3}, DType::f64), true);
    const Rule rule = own::sam(sgd({.lr = 0.1}), {.rho = 0.2});
    Optimizer optimizer({{"w", w}}, is_wrapped ? lookahead(rule, {.k = 4, .alpha = 0.5}) : rule);
    std::vector<double> x = w.value().to_vector<double>(), slow = x;
    const std::vector<double> a = curvature.to_vector<double>();
    for (int t = 1; t <= 8; ++t) {
      optimizer.step([&] {
        Tensor loss = quadratic_loss(w, curvature, 1);
        loss.backward();
        return loss;
      });
      double norm = 0;
      for (std::size_t i = 0; i < 3; ++i) norm += a[i] * (x[i] - 1) * a[i] * (x[i] - 1);
      norm = std::sqrt(norm);
      for (std::size_t i = 0; i < 3; ++i) {
        x[i] -= 0.1 * a[i] * (x[i] + 0.2 * a[i] * (x[i] - 1) / norm - 1);
        if (is_wrapped && t % 4 == 0) x[i] = slow[i] += 0.5 * (x[i] - slow[i]);
        CHECK(w.value().at({static_cast<std::int64_t>(i)}) == doctest::Approx(x[i]).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("several backwards before a step are one big batch") {
  const Array x = Array::from({1, 2, 3, 4, 5, 6}, {6}, DType::f64),
              y = Array::from({2, 1, 4, 3, 6, 5}, {6}, DType::f64);
  const auto loss = [&](const Tensor& w, std::int64_t begin, std::int64_t end) {
    const Tensor d = Tensor(x.slice(0, begin, end)) * w - Tensor(y.slice(0, begin, end));
    return mean(d * d);
  };
  for (const Rule& rule : {lookahead(adam({.lr = 0.1}), {.k = 2}), clip_norm(momentum({.lr = 0.1}), 0.5)}) {
    Tensor whole(Array::full({1}, 0.3, DType::f64), true), parts(Array::full({1}, 0.3, DType::f64), true);
    Optimizer big({{"w", whole}}, rule), small({{"w", parts}}, rule);
    for (int t = 0; t < 9; ++t) {
      big.zero_grad();
      loss(whole, 0, 6).backward();
      big.step();
      small.zero_grad();
      for (std::int64_t i = 0; i < 6; i += 2) (loss(parts, i, i + 2) * (1.0 / 3)).backward();
      small.step();
      CHECK(parts.item() == doctest::Approx(whole.item()).epsilon(1e-13));
    }
    CHECK(small.step_count() == 9);
  }
}

TEST_CASE("a closure that throws for one group leaves the moments that another's look has moved as they were") {
  Tensor m(Array::full({2, 3}, 1, DType::f64), true), w(Array::full({2}, 3, DType::f64), true);
  Optimizer optimizer({Group{{{"m", m}}, muon()}, Group{{{"w", w}}, own::sam(sgd({.lr = 0.1}))}});
  const auto step = [&](int throw_at) {
    int calls = 0;
    optimizer.step([&] {
      if (++calls == throw_at) throw std::runtime_error("no");
      Tensor loss = quadratic_loss(w, Array::from({1, 0.25}, {2}, DType::f64), 1) + sum(m * m);
      loss.backward();
      return loss;
    });
  };
  step(0);
  const Snapshot before = optimizer.snapshot();
  CHECK_THROWS_AS(step(2), std::runtime_error);
  const Snapshot after = optimizer.snapshot();
  REQUIRE(before.state.size() == after.state.size());
  for (std::size_t i = 0; i < before.state.size(); ++i) {
    CHECK_MESSAGE(identical(before.state[i].array, after.state[i].array), before.state[i].name);
  }
}
