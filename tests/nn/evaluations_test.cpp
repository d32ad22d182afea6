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

TEST_CASE("each copy has dropout masks of its own, the same in all its evaluations; statistics move once") {
  nn::seed(5);
  nn::Dropout dropout({.p = 0.5});
  nn::BatchNorm2d norm({.channels = 1}), once({.channels = 1});
  Array x = Array::empty({2, 1, 8, 8});
  Generator(1).fill_normal(x);
  Tensor w(Array::full({1}, 1), true);
  Optimizer optimizer({{"w", w}}, parse_rule("lookaround(sam(sgd(lr=0), rho=0.1), copies=2, k=9)"));
  std::vector<std::vector<float>> masks;
  for (int t = 0; t < 2; ++t) {
    optimizer.step([&] {
      norm(Tensor(x));
      masks.push_back(dropout(Tensor(Array::full({64}, 1))).value().to_vector<float>());
      w.accumulate_grad(Array::full({1}, 1));
      return Tensor();
    });
    once(Tensor(x));
  }
  REQUIRE(masks.size() == 8);
  for (std::size_t t = 0; t < 8; t += 4) {
    CHECK(masks[t] != masks[t + 1]);
    CHECK(masks[t] == masks[t + 2]);
    CHECK(masks[t + 1] == masks[t + 3]);
  }
  for (std::size_t i : {0, 1}) CHECK((masks[4 + i] != masks[0] && masks[4 + i] != masks[1]));
  for (std::size_t i = 0; i < norm.buffers().size(); ++i)
    CHECK(identical(norm.buffers()[i].tensor.value(), once.buffers()[i].tensor.value()));
}
