// The batches of a step: their mean, evaluated as often as a rule wants, and the batch that is not finite once more.
#include <tandem/train/step_batches.h>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/optim/lookaround.h>
#include <tandem/optim/optimizer.h>
#include <tandem/optim/sgd.h>

using namespace tandem;
using train::FiniteWatch, train::StepBatches;

namespace {

struct Rows {
  Array x;
  std::int64_t tokens = 0;  // examples
};
using StepOf = StepBatches<Rows>;

Array normal(const Shape& shape, std::uint64_t seed) {
  Array values = Array::empty(shape, DType::f64);
  Generator(seed).fill_normal(values);
  return values;
}

/// Parts of the rows of x, of these sizes.
void fill(StepOf& step, const Array& x, const std::vector<std::int64_t>& sizes) {
  step.clear(0);
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    step.add({x.slice(0, begin, begin + size), size});
    begin += size;
  }
}

double difference(const Array& a, const Array& b) {
  double largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(a.data<double>()[i] - b.data<double>()[i]));
  return largest;
}

}  // namespace

TEST_CASE("batches of a step give the loss and the gradient of one batch of all their examples, in f64") {
  nn::Sequential none;
  FiniteWatch watch(none);
  const Array x = normal({12, 5}, 1);
  Tensor w(normal({5, 3}, 2));
  w.set_requires_grad(true);
  const auto gradient = [&](const std::vector<std::int64_t>& sizes, double& loss) {
    StepOf step(watch);
    fill(step, x, sizes);
    w.zero_grad();
    for (const Rows& rows : step) step.backward(mean(square(tanh(matmul(Tensor(rows.x), w)))));
    loss = step.loss().item();
    return w.grad().clone();
  };
  double whole = 0;
  const Array expected = gradient({12}, whole);
  CHECK(whole == mean(square(tanh(matmul(Tensor(x), w)))).item());
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{6, 6}, {4, 4, 4}, {7, 1, 4}}) {
    double loss = 0;
    CHECK(difference(gradient(sizes, loss), expected) < 1e-15);  // gradients of about 0.1: the last bits
    CHECK(loss == doctest::Approx(whole).epsilon(1e-15));
  }
}

TEST_CASE("a second loop over the batches begins the mean anew; batches are numbered over the run") {
  nn::Sequential none;
  FiniteWatch watch(none);
  StepOf step(watch);
  fill(step, normal({6, 2}, 3), {2, 4});
  Tensor w(normal({2, 2}, 5));
  w.set_requires_grad(true);
  CHECK(step.batches() == 2);
  CHECK(step.examples() == 6);
  std::vector<std::int64_t> numbers;
  double losses[2];
  for (double& loss : losses) {
    for (const Rows& rows : step) {
      numbers.push_back(step.number());
      step.backward(mean(square(matmul(Tensor(rows.x), w))));
    }
    loss = step.loss().item();
  }
  CHECK(losses[0] == losses[1]);
  CHECK(numbers == std::vector<std::int64_t>{1, 2, 1, 2});
  step.clear(10);
  step.add({normal({1, 2}, 4), 1});
  step.begin();
  CHECK(step.number() == 11);
}

TEST_CASE("a loss that is not finite: the batch comes once more, its layers are looked at, gradients count once") {
  nn::Sequential model{nn::layer<nn::Linear>({.in = 2, .out = 3}), nn::layer<nn::Linear>({.in = 3, .out = 1})};
  FiniteWatch watch(model);
  StepOf step(watch);
  step.clear(0);
  step.add({Array::full({4, 2}, 1), 4});
  step.add({Array::full({4, 2}, 1e38), 4});
  step.add({Array::full({4, 2}, 1), 4});
  std::vector<std::int64_t> numbers;
  // Through other doors than the model's own: layers by hand.
  const auto walk = [&] {
    for (const Rows& rows : step) {
      numbers.push_back(step.number());
      step.backward(mean(square(model[1](1000 * model[0](Tensor(rows.x))))));
    }
    return step.loss().item();
  };
  CHECK_FALSE(std::isfinite(walk()));
  CHECK(numbers == std::vector<std::int64_t>{1, 2, 2, 3});
  CHECK(watch.finding() == "layer \"1\" " + model[1].describe() + " is the first whose output is not finite");
  SUBCASE("also when the loop is left there: the next one counts its gradients") {
    nn::Sequential other{nn::layer<nn::Linear>({.in = 2, .out = 1})};
    FiniteWatch next(other);
    StepOf left(next);
    left.clear(0);
    left.add({Array::full({4, 2}, 1), 4});
    int calls = 0;
    const Tensor scale(Array::full({}, std::numeric_limits<double>::infinity()));
    for (const Rows& rows : left) {
      if (++calls == 2) break;
      left.backward(scale * mean(other(Tensor(rows.x))));
    }
    for (const Rows& rows : left) left.backward(mean(other(Tensor(rows.x))));
    CHECK(std::isfinite(left.loss().item()));
  }
  numbers.clear();
  walk();  // what is found stays, and is not looked for again
  CHECK(numbers == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("copies of a lookaround see their views of the batches, and keys of their own") {
  nn::Sequential none;
  FiniteWatch watch(none);
  Tensor w(Array::full({1}, 1, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookaround(sgd({.lr = 0.5}), {.copies = 2, .k = 3}));
  StepOf step(watch);
  step.copy_by(optimizer);
  std::vector<std::int64_t> keys;
  for (int t = 0; t < 2; ++t) {
    step.clear(t);
    step.add({Array::full({1}, 2, DType::f64), 1});
    step.add_view(1, {Array::full({1}, 6, DType::f64), 1});
    optimizer.step([&] {
      for (const Rows& rows : step) {
        keys.push_back(step.number());
        step.backward(sum(Tensor(rows.x) * w));
      }
      return step.loss();
    });
  }
  CHECK(w.item() == -1);  // 1 - 2 * 0.5 * 2
  CHECK(keys == std::vector<std::int64_t>{1, 2, 3, 4});
  for (const NamedArray& e : optimizer.state_tree())
    if (e.name == "groups/0/copies/1/weights/w") CHECK(e.array.item() == -5);  // 1 - 2 * 0.5 * 6
}
