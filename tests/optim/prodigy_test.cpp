// prodigy: its distance by hand, shared by all tensors of a group and saved with it.
#include <cmath>

#include "support.h"

using namespace support;

TEST_CASE("without memory, the distance is the way that was gone") {
  // beta1 = beta2 = 0: w <- w - d sign(g), then d <- max(d, x0 - w before the step). From d0 = 1/2.
  Tensor w(Array::full({1}, 10, DType::f64), true);
  Optimizer optimizer({{"w", w}}, prodigy({.beta1 = 0, .beta2 = 0, .eps = 0, .d0 = 0.5}));
  std::vector<double> weights, distances;
  for (int t = 0; t < 5; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, 2, DType::f64));
    optimizer.step();
    weights.push_back(w.item());
    distances.push_back(entry(optimizer.state_tree(), "groups/0/d").item());
  }
  CHECK(weights == std::vector<double>{9.5, 9, 8.5, 7.5, 6});
  CHECK(distances == std::vector<double>{0.5, 0.5, 1, 1.5, 2.5});
}

TEST_CASE("all tensors of a group share one distance, groups have their own") {
  const auto run = [](bool is_split, double second) {
    Tensor a(Array::full({1}, 10, DType::f64), true), b(Array::full({1}, 10, DType::f64), true);
    const Rule rule = prodigy({.beta1 = 0, .beta2 = 0, .eps = 1e-300, .d0 = 0.5});
    Optimizer optimizer(is_split ? std::vector{Group{{{"a", a}}, rule}, Group{{{"b", b}}, rule}}
                                 : std::vector{Group{{{"a", a}, {"b", b}}, rule}});
    for (int t = 0; t < 4; ++t) {
      optimizer.zero_grad();
      a.accumulate_grad(Array::full({1}, 2, DType::f64));
      b.accumulate_grad(Array::full({1}, t % 2 == 0 ? second : -second, DType::f64));
      optimizer.step();
    }
    return a.item();
  };
  CHECK(run(true, 6) == 7.5);
  CHECK(run(false, 0) == 7.5);
  // With the turns of b: r = 2 (10 - 9) + 6 (10 - 10) over |s| = 2 + 6: the distance stays at 1/2.
  CHECK(run(false, 6) == 8);
}

TEST_CASE("weight decay by d lr, and a fresh start after a reset") {
  Tensor w(Array::full({1}, 8, DType::f64), true);
  Optimizer decayed({{"w", w}}, prodigy({.beta1 = 0, .beta2 = 0, .eps = 1, .d0 = 0.5, .weight_decay = 0.25}));
  w.accumulate_grad(Array::full({1}, 2, DType::f64));
  decayed.step();
  CHECK(w.item() == doctest::Approx(8 - 0.125 * 8 - 0.5 * 1 / (1 + 0.5)).epsilon(1e-14));

  Tensor x(Array::full({1}, 10, DType::f64), true);
  Optimizer reset({{"x", x}}, lookahead(prodigy({.beta1 = 0, .beta2 = 0, .eps = 0, .d0 = 0.5}),
                                        {.k = 4, .alpha = 1, .state = InnerState::reset}));
  x.accumulate_grad(Array::full({1}, 2, DType::f64));
  for (int t = 0; t < 4; ++t) reset.step();
  CHECK(x.item() == 7.5);
  reset.step();
  CHECK(x.item() == 7);
  CHECK(message([] { prodigy({.d0 = 0}); }) == "prodigy: d0 is 0, must be above 0");
}

TEST_CASE("a weight whose first gradient comes late starts from where it is then, with the distance of the group") {
  Tensor a(Array::full({1}, 10, DType::f64), true), b(Array::full({1}, 5, DType::f64), true);
  Optimizer optimizer({{"a", a}, {"b", b}}, prodigy({.beta1 = 0, .beta2 = 0, .eps = 0, .d0 = 0.5}));
  for (int t = 0; t < 4; ++t) {
    optimizer.zero_grad();
    a.accumulate_grad(Array::full({1}, 2, DType::f64));
    if (t == 3) b.accumulate_grad(Array::full({1}, -6, DType::f64));
    optimizer.step();
  }
  CHECK(a.item() == 7.5);
  CHECK(b.item() == 6);  // d was 1
  const NamedArrays tree = optimizer.state_tree();
  CHECK(entry(tree, "groups/0/x0/b").item() == 5);
  // r = 2 (10 - 8.5) over |s| = 2 + 6: the distance stays.
  CHECK(entry(tree, "groups/0/d").item() == 1);
}
