// The graph: versions, freeing, depth, pruning, gradients of gradients, and the checks on what a backward returns.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <type_traits>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

using namespace tandem;

namespace {

Tensor leaf(std::initializer_list<double> values, const Shape& shape, DType dtype = DType::f64) {
  return Tensor(values, shape, dtype).set_requires_grad(true);
}

}  // namespace

TEST_CASE("a chain of a million ops runs backward and is destroyed without recursion") {
  Tensor x = leaf({1}, {1});
  const auto before = graph_stats();
  {
    Tensor y = x;
    for (int i = 0; i < 1'000'000; ++i) y = y + 0.0;
    CHECK(graph_stats().nodes == before.nodes + 1'000'000);
    y.backward();
    CHECK(x.grad().item() == 1);
    for (int i = 0; i < 1'000'000; ++i) y = y * 1.0;
    for (int i = 0; i < 200'000; ++i) y = square(y);  // each saves what was before
  }
  CHECK(graph_stats().nodes == before.nodes);
}

TEST_CASE("saved values are freed as backward passes, or when the result goes") {
  Tensor x = leaf({1, 2, 3}, {3});
  const auto before = graph_stats();
  Tensor y = sum(exp(x * x));
  CHECK(graph_stats().saved_bytes > before.saved_bytes);
  y.backward();
  CHECK(graph_stats().saved_bytes == before.saved_bytes);
  { const Tensor z = sum(x * x); }
  CHECK(graph_stats().nodes == before.nodes + 3);  // multiply, exp, sum of y
  y = Tensor();
  CHECK(graph_stats().nodes == before.nodes);
}

TEST_CASE("backward twice needs retain_graph") {
  Tensor x = leaf({3}, {1});
  const Tensor y = x * x;
  y.backward(/*retain_graph=*/true);
  y.backward();
  CHECK(x.grad().item() == 12);
  CHECK_THROWS_WITH_AS(y.backward(),
                       "backward of multiply: the graph was freed by an earlier backward; give it retain_graph", Error);
}

TEST_CASE("changing a saved value in place is an error, never a wrong gradient") {
  Tensor x = leaf({3}, {1}), w = leaf({2}, {1});
  const Tensor y = x * w;
  w.mutable_value().fill(5);
  CHECK_THROWS_WITH_AS(
      y.backward(),
      "backward of multiply: a saved value was changed in place after forward: [1] is at version 1, was "
      "0; clone() it before changing it, or call backward first",
      Error);
}

TEST_CASE("only what some needed gradient uses is kept") {
  Tensor x = leaf({3, 4}, {2});
  const Tensor c({5, 6}, {2}, DType::f64);
  const auto before = graph_stats();
  const Tensor y = x * c;  // dx needs c; dc is not needed, so x is not kept
  CHECK(graph_stats().saved_bytes == before.saved_bytes + 16);
}

TEST_CASE("grad returns gradients without touching leaves, also of intermediate values") {
  Tensor x = leaf({2}, {1}), w = leaf({3}, {1});
  const Tensor h = x * w;
  const Tensor y = h * h;
  const auto g = grad({y}, {h, x}, {.retain_graph = true});
  CHECK(g[0].item() == 12);
  CHECK(g[1].item() == 36);
  CHECK_FALSE(x.has_grad());
  CHECK_THROWS_WITH_AS(grad({h}, {leaf({1}, {1})}, {.retain_graph = true}),
                       "grad: an output does not depend on an input: input 0; give allow_unused", Error);
  CHECK_FALSE(grad({h}, {leaf({1}, {1})}, {.retain_graph = true, .allow_unused = true})[0].defined());
  CHECK_THROWS_WITH_AS(grad({h}, {Tensor({1}, {1})}), "grad: an input does not require a gradient: input 0", Error);
  CHECK_THROWS_WITH_AS(grad({h}, {x}, {.seeds = {Tensor(), Tensor()}}),
                       "grad: one seed per output is needed: 2 seeds, 1 outputs", Error);
}

TEST_CASE("gradients of gradients: the third derivative of x^4 and a Hessian-vector product") {
  Tensor x = leaf({2}, {1});
  const Tensor y = pow(x, 4);
  const Tensor d1 = grad({y}, {x}, {.create_graph = true})[0];
  const Tensor d2 = grad({d1}, {x}, {.create_graph = true})[0];
  const Tensor d3 = grad({d2}, {x})[0];
  CHECK(d1.item() == doctest::Approx(32));
  CHECK(d2.item() == doctest::Approx(48));
  CHECK(d3.item() == doctest::Approx(48));

  // f = sum (A x)^2 / 2 has Hessian A'A.
  const Tensor a({1, 2, 3, 4}, {2, 2}, DType::f64), v({1, -1}, {2, 1}, DType::f64);
  Tensor z = leaf({0.5, 0.25}, {2, 1});
  const Tensor g = grad({sum(square(matmul(a, z))) * 0.5}, {z}, {.create_graph = true})[0];
  const Tensor hv = grad({sum(g * v)}, {z})[0];
  CHECK(hv.value().to_vector<double>()[0] == doctest::Approx(10 - 14));
  CHECK(hv.value().to_vector<double>()[1] == doctest::Approx(14 - 20));
}

TEST_CASE("an op without second derivative says so under create_graph only") {
  Tensor x = leaf({2}, {1});
  const auto once = [](const Tensor& t) {
    return record("once", t.value().clone(), {t}, {}, [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; },
                  {.twice_differentiable = false});
  };
  CHECK(grad({once(x)}, {x})[0].item() == 1);
  CHECK_THROWS_WITH_AS(
      grad({once(x)}, {x}, {.create_graph = true}),
      "backward of once: has no second derivative; leave out create_graph, or give record its definition or a "
      "backward written with ops",
      Error);
}

TEST_CASE("a definition is what create_graph differentiates, an input that is two inputs included") {
  // y = a b^2 + c with a fused backward of kernels only.
  const auto fused = [](const Tensor& a, const Tensor& b, const Tensor& c) {
    Array y = kernels::add(kernels::multiply(a.value(), kernels::square(b.value())), c.value());
    return record(
        "fused", std::move(y), {a, b, c}, {a, b},
        [](const Tensor& dy, const Saved& saved, Needs) {
          const Array &u = saved[0].value(), &v = saved[1].value();
          return Grads{kernels::multiply(dy.value(), kernels::square(v)),
                       kernels::multiply(kernels::multiply(dy.value(), kernels::multiply(u, v)), 2), dy};
        },
        {.definition = [](const std::vector<Tensor>& in, const Saved&) { return in[0] * square(in[1]) + in[2]; }});
  };
  Tensor x = leaf({3}, {1}), c = leaf({1}, {1});
  const Tensor y = fused(x, x, c);  // x^3 + c
  const Tensor d1 = grad({y}, {x}, {.create_graph = true})[0];
  CHECK(d1.item() == 27);
  const Tensor d2 = grad({d1}, {x}, {.create_graph = true})[0];
  CHECK(d2.item() == 18);
  CHECK(grad({d2}, {x})[0].item() == 6);
  CHECK(grad({y}, {c}, {.create_graph = true})[0].item() == 1);
  y.backward();
  CHECK(x.grad().item() == 27);

  const auto before = graph_stats();
  {
    // Below intermediate values, with one input constant, and without recording outside.
    const Tensor h = x * x, z = fused(h, Tensor(Array::full({1}, 2, DType::f64)), c * 1.0);  // 4 x^2 + c
    const NoGradGuard guard;
    const Tensor g = grad({z}, {x}, {.create_graph = true})[0];
    CHECK(g.item() == 24);
    CHECK(grad({g}, {x})[0].item() == 8);
  }
  CHECK(graph_stats().nodes == before.nodes);
}

TEST_CASE("a definition of another shape is an error") {
  Tensor x = leaf({2, 3}, {2});
  const auto op =
      record("op", x.value().clone(), {x}, {x}, [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; },
             {.definition = [](const std::vector<Tensor>& in, const Saved&) { return sum(in[0]); }});
  CHECK_THROWS_WITH_AS(grad({sum(op)}, {x}, {.create_graph = true}),
                       "backward of op: the definition does not give what the op gives: definition [] f64, op [2] f64",
                       Error);
}

TEST_CASE("a saved value that is not there is named") {
  Tensor x = leaf({2}, {1});
  const Tensor y = record("op", x.value().clone(), {x}, {},
                          [](const Tensor&, const Saved& saved, Needs) { return Grads{saved[0]}; });
  CHECK_THROWS_WITH_AS(y.backward(),
                       "backward of op: saved[0] is asked for: 0 are saved; name it in the list of saved values that "
                       "record is given",
                       Error);
}

TEST_CASE("another Array in the place of a leaf's value is noticed by both backwards") {
  Tensor x = leaf({2}, {1});
  const Tensor y = square(x);
  x.state()->value = Array::full({1}, 5, DType::f64);  // only library code can: mutable_value() gives a handle
  for (const bool create_graph : {false, true})
    CHECK_THROWS_WITH_AS(
        grad({y}, {x}, {.create_graph = create_graph, .retain_graph = true}),
        "backward of square: a saved value was changed in place after forward: another Array has taken "
        "the place of [1]; clone() it before changing it, or call backward first",
        Error);
}

TEST_CASE("mutable_value is a handle: it cannot replace the Array") {
  static_assert(!std::is_assignable_v<decltype(std::declval<Tensor&>().mutable_value()), Array>);
  Tensor x = leaf({2}, {1});
  Array handle = x.mutable_value();
  handle = Array::full({1}, 5, DType::f64);
  CHECK(x.item() == 2);
}

TEST_CASE("the engine checks what a backward returns") {
  Tensor x = leaf({2, 3}, {2});
  const auto op = [&](Backward backward) { return record("op", x.value().clone(), {x}, {}, std::move(backward)); };
  const Array seed = Array::full({2}, 1, DType::f64);
  CHECK_THROWS_WITH_AS(op([](const Tensor&, const Saved&, Needs) { return Grads{}; }).backward(seed),
                       "backward of op: wrong number of gradients: 0 for 1 inputs", Error);
  CHECK_THROWS_WITH_AS(op([](const Tensor&, const Saved&, Needs) { return Grads{Tensor{}}; }).backward(seed),
                       "backward of op: a needed gradient is missing: of input 0", Error);
  CHECK_THROWS_WITH_AS(op([](const Tensor&, const Saved&, Needs) { return Grads{scalar(1)}; }).backward(seed),
                       "backward of op: a gradient does not fit its input: input 0 is [2] f64, its gradient [] f32",
                       Error);
}

TEST_CASE("branches that lead to no target are not run") {
  Tensor x = leaf({2}, {1}), w = leaf({3}, {1});
  int runs = 0;
  const Tensor side = record("side", w.value().clone(), {w}, {}, [&runs](const Tensor& dy, const Saved&, Needs) {
    ++runs;
    return Grads{dy};
  });
  CHECK(grad({x * side}, {x})[0].item() == 3);
  CHECK(runs == 0);
}
