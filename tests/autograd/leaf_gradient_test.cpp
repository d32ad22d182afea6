// The gradient of a leaf is memory of its own: nobody else's, dense, in the order of the value.
#include "ops_helpers.h"

#include <tandem/core/kernels/elementwise/elementwise.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("two leaves and the caller's seed do not share one gradient") {
  Tensor a = leaf({1, 2}, {2}), b = leaf({3, 4}, {2});
  Array seed = Array::full({2}, 1);
  (a + b).backward(seed);
  Array g = a.grad();
  g.fill(7);
  check_values(b.grad(), {1, 1});
  check_values(seed, {1, 1});
  check_values(a.grad(), {7, 7});  // grad() is the gradient itself: clipping by hand writes here
}

TEST_CASE("the gradient of a sum, a mean or a broadcast is numbers, not one number repeated") {
  for (const bool is_mean : {false, true}) {
    Tensor w = leaf({1, 2, 3}, {3});
    (is_mean ? mean(w) : sum(w)).backward();
    Array g = w.grad();
    CHECK(g.is_contiguous());
    CHECK(g.storage()->bytes() >= 12);
    kernels::scale_into(g, 0.5);
    check_values(w.grad(),
                 is_mean ? std::vector<double>{1.0 / 6, 1.0 / 6, 1.0 / 6} : std::vector<double>{0.5, 0.5, 0.5});
  }
  Tensor x = leaf({1, 2}, {2, 1});
  sum(expand(x, {2, 3})).backward();
  CHECK(x.grad().is_contiguous());
}

TEST_CASE("views come out in the order of the value") {
  Tensor x = leaf({1, 2, 3, 4, 5, 6}, {2, 3});
  transpose(x, 0, 1).backward(Array::from({1, 2, 3, 4, 5, 6}, {3, 2}));
  CHECK(x.grad().is_contiguous());
  check_values(x.grad(), {1, 3, 5, 2, 4, 6});
  Array image = Array::zeros({2, 3, 2, 2}, DType::f32, Layout::channels_last);
  Tensor y(image, true);
  sum(y * 2.0).backward();
  CHECK(y.grad().is_channels_last());
  Tensor column(Array::from({1, 2, 3, 4}, {2, 2}).slice(1, 0, 1), true);  // a value with gaps
  sum(column * 3.0).backward();
  CHECK(column.grad().is_dense());
  check_values(column.grad(), {3, 3});
}

TEST_CASE("a gradient that belongs to nobody else is kept, not copied") {
  Tensor x = leaf({1, 2, 3}, {3});
  const Array* made = nullptr;
  std::uint64_t id = 0;
  {
    const GradientHook hook = x.on_gradient([&](const Tensor& dx) {
      id = dx.value().storage()->id();
      made = &dx.value();
    });
    sum(x * x).backward();
  }
  CHECK(made != nullptr);
  CHECK(x.grad().storage()->id() == id);
  Tensor y = leaf({1, 2, 3}, {3});
  Array given = Array::full({3}, 2);
  y.accumulate_grad(given);
  CHECK(y.grad().storage() != given.storage());
  y.zero_grad();
  const std::uint64_t given_id = given.storage()->id();
  y.accumulate_grad(std::move(given));
  CHECK(y.grad().storage()->id() == given_id);
}

TEST_CASE("what is held of a gradient stays as it was when the next one arrives") {
  Tensor x = leaf({1, 2}, {2});
  sum(x * x).backward();
  const Array held = x.grad();
  sum(x * 3.0).backward();
  check_values(held, {2, 4});
  check_values(x.grad(), {5, 7});
  CHECK(message_of([&] { x.accumulate_grad(Array()); }) == "accumulate_grad: grad is not defined");
  CHECK(message_of([&] { x.accumulate_grad(Array::zeros({3})); }) ==
        "accumulate_grad: gradient does not fit: gradient [3] f32, value [2] f32");
}

TEST_CASE("linear takes one row, as a vector") {
  Tensor x = leaf({1, 2}, {2}), w = leaf({1, 2, 3, 4}, {2, 2});
  sum(linear(x, w)).backward();
  check_values(x.grad(), {4, 6});
  check_values(w.grad(), {1, 2, 1, 2});
}

TEST_CASE("gaussian_kl near the standard normal keeps its digits") {
  Tensor m(Array::zeros({1, 1}), true), v(Array::full({1, 1}, 1e-4), true);
  const Tensor y = gaussian_kl(m, v);
  CHECK(y.item() == doctest::Approx(1e-8 / 4).epsilon(1e-4));  // v^2 / 4
  y.backward();
  CHECK(v.grad().item() == doctest::Approx(0.5e-4).epsilon(1e-4));
  CHECK(gaussian_kl(m, Tensor(Array::full({1, 1}, -1e-5))).item() > 0);
}
