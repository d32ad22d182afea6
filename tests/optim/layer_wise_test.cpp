// Rules with numbers per tensor: novograd by hand, and lamb and lars without adaptation of biases and norms.
#include <cmath>

#include "support.h"

using namespace support;

namespace {

std::vector<std::vector<double>> path(const Rule& rule, const Shape& shape, double start,
                                      const std::vector<std::vector<double>>& gradients) {
  Tensor w(Array::full(shape, start, DType::f64), true);
  Optimizer optimizer({{"w", w}}, rule);
  std::vector<std::vector<double>> weights;
  for (const std::vector<double>& g : gradients) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::from(g, shape));
    optimizer.step();
    weights.push_back(w.value().to_vector<double>());
  }
  return weights;
}

void near(const std::vector<double>& x, const std::vector<double>& y) {
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == doctest::Approx(y[i]).epsilon(1e-13));
}

}  // namespace

TEST_CASE("novograd by hand: an average of the norms of a tensor") {
  // |g| = 5, then 10: v = 25, 12.5 + 50. m = g / 5, then half of it + g / sqrt(62.5).
  const NovogradOptions options{.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 0};
  const auto two = path(novograd(options), {2}, 1, {{3, 4}, {6, 8}});
  near(two[0], {1 - 0.6, 1 - 0.8});
  const double root = std::sqrt(62.5);
  near(two[1], {0.4 - 0.3 - 6 / root, 0.2 - 0.4 - 8 / root});
  NovogradOptions decayed = options;
  decayed.eps = 5, decayed.weight_decay = 0.25;
  near(path(novograd(decayed), {2}, 8, {{3, 4}})[0], {8 - 0.3 - 2, 8 - 0.4 - 2});
  near(path(novograd(options), {2}, 8, {{0, 0}, {3, 4}})[1], {8 - 3 / std::sqrt(12.5), 8 - 4 / std::sqrt(12.5)});

  // Every tensor has its own number, which is saved, and fresh after a reset.
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, parse_rule("lookahead(novograd(lr=0.01), k=2, alpha=1, state=reset)"));
  train(optimizer, parameters, 0, 1);
  const NamedArrays tree = cloned(optimizer.state_tree());
  const Array& number = entry(tree, "groups/0/inner/exp_avg_sq/conv.bias");
  CHECK(number.shape() == Shape{});
  CHECK(number.dtype() == DType::f64);
  double square = 0;
  for (const float g : parameters[1].tensor.grad().to_vector<float>())
    square += static_cast<double>(g) * static_cast<double>(g);
  CHECK(number.item() == doctest::Approx(square).epsilon(1e-12));
  train(optimizer, parameters, 1, 2);
  CHECK(entry(optimizer.state_tree(), "groups/0/inner/exp_avg_sq/conv.bias").item() == 0);
}

TEST_CASE("lamb and lars without adaptation: a bias from zero moves as far as its gradient says") {
  const std::vector<std::vector<double>> ones(100, {1});
  const LambOptions options{.lr = 0.01, .eps = 0, .weight_decay = 0};
  LambOptions exempt = options;
  exempt.no_bias_adaptation = true;
  CHECK(path(lamb(options), {1}, 0, ones)[99][0] > -0.03);
  CHECK(path(lamb(exempt), {1}, 0, ones)[99][0] == doctest::Approx(-1).epsilon(1e-12));
  LarsOptions plain{.lr = 0.01, .momentum = 0};
  CHECK(path(lars(plain), {1}, 1, ones)[0][0] == doctest::Approx(1 - 1e-5).epsilon(1e-12));
  plain.no_bias_adaptation = true;
  CHECK(path(lars(plain), {1}, 1, ones)[99][0] == doctest::Approx(0).epsilon(1e-12));
  // Matrices are adapted as ever.
  CHECK(path(lamb(exempt), {1, 1}, 0, ones) == path(lamb(options), {1, 1}, 0, ones));
  CHECK(lamb(exempt).describe() == "lamb(lr=0.01, eps=0, weight_decay=0, no_bias_adaptation)");
}
