// Models under rules that evaluate a loss several times a step (Optimizer::step with a closure).
#include <vector>

#include <doctest/doctest.h>

#include <tandem/core/generator.h>
#include <tandem/tandem.h>

using namespace tandem;

TEST_CASE("every evaluation of a step sees the same dropout masks, and running statistics move once") {
  nn::seed(5);
  nn::Sequential model{nn::layer<nn::Conv2d>({.in = 2, .out = 3, .kernel = 3, .padding = 1}),
                       nn::layer<nn::BatchNorm2d>({.channels = 3}), nn::layer<nn::LockedDropout>({.p = 0.5})};
  Array x = Array::empty({4, 2, 5, 5});
  Generator(1).fill_normal(x);
  Optimizer optimizer(model.parameters(), lookahead(sgd({.lr = 0.1}), {.k = 1, .adaptive = true}));
  std::vector<double> losses;
  for (int t = 1; t <= 3; ++t) {
    losses.clear();
    optimizer.step([&] {
      const Tensor loss = mean(square(model(Tensor(x))));
      loss.backward();
      losses.push_back(loss.item());
      return loss;
    });
    REQUIRE(losses.size() == 3);
    for (const NamedTensor& b : model.buffers()) {
      if (b.name == "1.num_batches_tracked") CHECK(b.tensor.item() == t);
      if (b.name == "2.generator") CHECK(b.tensor.value().at({1}) == t);
    }
    // At the slow weights, those of before the step, the loss is that of the first evaluation: the masks are the same.
    CHECK(losses[1] == losses[0]);
    CHECK(losses[2] != losses[0]);
  }
}
