// When a pass is replayed, and when it is computed as usual. Not here: the bits of each op (replay_ops_test.cpp).
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <tandem/autograd/anomaly.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/autograd/replay.h>
#include <tandem/core/error.h>
#include <tandem/core/threads.h>

using namespace tandem;
using Doubles = std::vector<double>;

namespace {

/// A leaf with memory for its gradient, as an Optimizer binds it.
Tensor bound(const Array& value) {
  Tensor leaf(value.clone(), is_floating(value.dtype()));
  if (!is_floating(value.dtype())) return leaf;
  leaf.state()->grad = Array::empty_like(leaf.value());
  leaf.state()->grad_bound = true;
  return leaf;
}

/// mean (x w - t)^2 with a parameter w [2, 1].
struct Line {
  Tensor w = bound(Array::from({1, -1}, {2, 1}));
  Array x = Array::from({1, 2, 3, 4}, {2, 2}), t = Array::from({1, 0}, {2, 1});

  Tensor loss(const std::vector<Tensor>& in) const { return mse_loss(matmul(in[0], w), in[1]); }
  Replay pass() const {
    return Replay([this](const std::vector<Tensor>& in) { return loss(in); });
  }
  /// The gradient as computed without a Replay.
  Array expected(const Array& inputs) const {
    Tensor own(w.value().clone(), true);
    mse_loss(matmul(Tensor(inputs), own), Tensor(t)).backward();
    return own.grad();
  }
  /// Passes until one is replayed.
  void warm(Replay& pass) {
    const std::int64_t before = pass.replayed();
    for (int i = 0; i < 3 && pass.replayed() == before; ++i) {
      w.zero_grad();
      pass(x, t);
    }
    REQUIRE(pass.replayed() == before + 1);
    w.zero_grad();
  }
};

}  // namespace

TEST_CASE("replay: each set of shapes has a pass of its own") {
  Line line;
  Replay pass = line.pass();
  line.warm(pass);
  const Array one = Array::from({5, 6}, {1, 2});
  Line small = line;
  small.w = line.w, small.t = Array::from({2}, {1, 1});
  for (int i = 0; i < 4; ++i) {
    line.w.zero_grad();
    pass(one, small.t);
    CHECK(identical(line.w.grad(), small.expected(one)));
    line.w.zero_grad();
    pass(line.x, line.t);
    CHECK(identical(line.w.grad(), line.expected(line.x)));
  }
  CHECK(pass.replayed() == 1 + 4 + 2);
}

TEST_CASE("replay: more shapes than are remembered are computed all the same") {
  Line line;
  Replay pass = line.pass();
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t n = 1; n <= 20; ++n) {
      line.t = Array::zeros({n, 1});
      const Array x = Array::arange(2 * n, DType::f32).reshape({n, 2});
      line.w.zero_grad();
      pass(x, line.t);
      CHECK(identical(line.w.grad(), line.expected(x)));
    }
  }
  CHECK(pass.replayed() == 0);
}

TEST_CASE("replay: gradients that are there are added to") {
  Line line;
  Replay pass = line.pass();
  line.warm(pass);
  const Array once = line.expected(line.x);
  pass(line.x, line.t);
  pass(line.x, line.t);
  pass(line.x, line.t);
  CHECK(identical(line.w.grad(), (Tensor(once) + once + once).value()));
  CHECK(pass.replayed() == 2);
  // Also where the pass that was to be kept is one that adds.
  Replay other = line.pass();
  other(line.x, line.t);
  other(line.x, line.t);
  CHECK(other.why_not().empty());
  line.warm(other);
}

TEST_CASE("replay: what a pass depends on is noticed") {
  Line line;
  Replay pass = line.pass();
  const auto recomputes = [&] {
    const std::int64_t before = pass.replayed();
    line.w.zero_grad();
    pass(line.x, line.t);
    return pass.replayed() == before;
  };
  line.warm(pass);
  CHECK_FALSE(recomputes());
  set_threads(threads());
  CHECK(recomputes());
  CHECK_FALSE(recomputes());
  line.w.mutable_value().storage()->move_to(std::make_shared<Buffer>(64), 0);
  CHECK(recomputes());
  CHECK(identical(line.w.grad(), line.expected(line.x)));
  CHECK_FALSE(recomputes());
  line.w.state()->grad = Array::zeros({2, 1});
  CHECK(recomputes());
  CHECK(identical(line.w.grad(), line.expected(line.x)));
  CHECK_FALSE(recomputes());
  {
    int seen = 0;
    const GradientHook hook = line.w.on_gradient([&](const Tensor&) { ++seen; });
    for (int i = 0; i < 3; ++i) CHECK(recomputes());
    CHECK(seen == 3);
    CHECK(pass.why_not() == "a gradient hook runs code");
  }
  CHECK(recomputes());
  CHECK_FALSE(recomputes());
  {
    const DetectAnomaly anomaly;
    CHECK(recomputes());
  }
  CHECK_FALSE(recomputes());
  line.w.set_requires_grad(false);
  CHECK_THROWS_AS(pass(line.x, line.t), Error);  // nothing asks for a gradient
  line.w.set_requires_grad(true);
  CHECK(recomputes());
  CHECK(identical(line.w.grad(), line.expected(line.x)));
}

TEST_CASE("replay: a parameter without an Optimizer, and whatever is not kernels, is computed as usual") {
  Line line;
  const auto why_not = [&](const Replay::Loss& loss) {
    Replay pass(loss);
    for (int i = 0; i < 4; ++i) {
      line.w.zero_grad();
      pass(line.x, line.t);
    }
    CHECK(pass.replayed() == 0);
    return pass.why_not();
  };
  Tensor free(line.w.value().clone(), true);
  CHECK(why_not([&](const auto& in) { return line.loss(in) + sum(free); }) == "a parameter belongs to no Optimizer");
  CHECK(why_not([&](const auto& in) { return line.loss(in) * (line.loss(in).item() > 0 ? 1 : 2); }) ==
        "the host reads numbers");
  CHECK(why_not([&](const auto& in) { return line.loss(in) + Tensor(Array::from({1}, {})); }) ==
        "copy reads what no captured kernel has written");
  const auto own_op = [&](const Tensor& x) {
    Array y = x.value().clone();
    y.data<float>()[0] += 1;  // by hand, in memory that is not marked
    return record("own", Array::from(y.to_vector<float>(), y.shape()), {x}, {},
                  [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; });
  };
  CHECK(why_not([&](const auto& in) { return sum(own_op(line.loss(in))); }) == "the host reads numbers");
  const Tensor other = bound(Array::from({2, 3}, {2}));
  CHECK(why_not([&](const auto& in) {  // gradients of another loss
          sum(square(other)).backward();
          Tensor(other).zero_grad();
          return line.loss(in);
        }) == "a gradient arrives outside of the loss's graph");
  Replay inner([&](const auto& in) { return line.loss(in) * sum(other); });
  CHECK(why_not([&](const auto& in) {
          const Tensor own = bound(Array::scalar(2));
          line.w.zero_grad();
          return inner(in[0].value(), in[1].value()) * own;
        }) == "a gradient arrives outside of the loss's graph");
  const auto place_op = [&](const Tensor& x) {
    return record("own", x.value().clone(), {x}, {}, [](const Tensor& dy, const Saved&, Needs needs) {
      Array* const place = needs.place(0);
      float* to = place->write<float>();
      for (int i = 0; i < 2; ++i) to[i] = dy.value().data<float>()[i];
      return Grads(1);
    });
  };
  CHECK(why_not([&](const auto& in) { return mse_loss(matmul(in[0], place_op(line.w)), in[1]); }) ==
        "memory is changed by what is not captured");
}

TEST_CASE("replay: values that the loss hands out are those of the last replay") {
  Line line;
  Tensor y;
  Replay pass([&](const std::vector<Tensor>& in) {
    y = matmul(in[0], line.w);
    return mse_loss(y, in[1]);
  });
  line.warm(pass);
  const Array x = Array::from({0, 1, 1, 0}, {2, 2});
  const Tensor first = pass(x, line.t);
  CHECK(y.value().to_vector<double>() == Doubles{-1, 1});
  line.w.zero_grad();
  const double before = first.item();
  pass(line.x, line.t);
  CHECK(y.value().to_vector<double>() == Doubles{-1, -1});
  CHECK(first.item() == before);  // a loss that was returned stays
}

TEST_CASE("replay: inputs with gaps, in another order, and of other dtypes") {
  Line line;
  Replay pass = line.pass();
  line.warm(pass);
  const Array wide = Array::arange(8, DType::f32).reshape({2, 4}), gaps = wide.slice(1, 0, 4, 2);
  const Array turned = line.x.transpose(0, 1);
  for (int i = 0; i < 4; ++i) {
    for (const Array& x : {gaps, turned}) {
      line.w.zero_grad();
      pass(x, line.t);
      CHECK(identical(line.w.grad(), line.expected(x)));
    }
  }
  CHECK_THROWS_AS(pass(line.x.to(DType::f64), line.t), Error);
  CHECK_THROWS_WITH_AS(pass(line.x, Array()), "replay: an input is not defined", Error);
  CHECK_THROWS_AS(Replay(nullptr), Error);
}

TEST_CASE("replay: an exception goes on to the caller, and the next batch is computed") {
  const Tensor w = bound(Array::from({1, -1, 2, 0}, {2, 2}));
  const Array x = Array::from({1, 2, 3, 4}, {2, 2}), good = Array::from({0, 1}, {2}, DType::i64),
              bad = Array::from({0, 7}, {2}, DType::i64);
  Replay pass([&](const std::vector<Tensor>& in) { return cross_entropy(matmul(in[0], w), in[1]); });
  Array expected;
  for (int i = 0; i < 6; ++i) {
    Tensor(w).zero_grad();
    CHECK_THROWS_WITH_AS(pass(x, bad), doctest::Contains("label out of range: row 1 has 7"), Error);
    CHECK_FALSE(w.has_grad());
    pass(x, good);
    if (i == 0) expected = w.grad().clone();
    CHECK(identical(w.grad(), expected));
  }
  CHECK(pass.replayed() > 0);
}

TEST_CASE("replay: a loss keeps its shape, and a parameter may be one") {
  Line line;
  Replay pass([&](const std::vector<Tensor>& in) { return reshape(line.loss(in), {1, 1}); });
  for (int i = 0; i < 4; ++i) {
    line.w.zero_grad();
    CHECK(pass(line.x, line.t).shape() == Shape{1, 1});
  }
  CHECK(pass.replayed() == 2);
  Tensor p = bound(Array::scalar(3));
  Replay plain([&](const std::vector<Tensor>&) { return p; });
  for (int i = 0; i < 4; ++i) {
    p.zero_grad();
    CHECK(plain().item() == 3);
    CHECK(p.grad().item() == 1);
  }
}

TEST_CASE("replay: strides of single places do not matter, and one that was moved from says so") {
  Line line;
  Replay pass([&](const std::vector<Tensor>& in) { return mse_loss(matmul(in[0], line.w), in[1]); });
  const Array wide = Array::from({1, 2, 3, 4}, {2, 2}), row = wide.slice(0, 0, 2, 2), t = Array::from({1}, {1, 1});
  for (int i = 0; i < 4; ++i) {
    line.w.zero_grad();
    pass(row, t);
  }
  CHECK(pass.replayed() == 2);
  Replay taken = std::move(pass);
  CHECK(taken.replayed() == 2);
  CHECK_THROWS_WITH_AS(pass(row, t), "replay: it was moved from", Error);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("replay: a coefficient that changes is an input") {
  Line line;
  Replay pass([&](const std::vector<Tensor>& in) { return line.loss(in) * in[2]; });
  for (int i = 1; i < 6; ++i) {
    line.w.zero_grad();
    pass(line.x, line.t, Array::scalar(i));
    CHECK(identical(line.w.grad(), (Tensor(line.expected(line.x)) * i).value()));
  }
  CHECK(pass.replayed() == 3);
}
