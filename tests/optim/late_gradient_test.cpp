// A parameter whose gradients come late or seldom is updated as if it were alone: step counts are its own.
#include <algorithm>
#include <cmath>

#include "support.h"

using namespace support;

namespace {

/// Rules with step counts, layer-wise ones and compositions.
constexpr const char* kCounting[] = {"adam(lr=0.01)",
                                     "adamw(lr=0.01, no_bias_decay)",
                                     "amsgrad(lr=0.01)",
                                     "nadam(lr=0.01)",
                                     "radam(lr=0.01)",
                                     "adagrad(lr=0.01, lr_decay=0.1)",
                                     "lamb(lr=0.01)",
                                     "clip_value(adam(lr=0.01), max=0.3)",
                                     "momentum(lr=0.01)",
                                     "adabelief(lr=0.01)",
                                     "adamax(lr=0.01)",
                                     "adan(lr=0.01)",
                                     "ademamix(lr=0.01, beta3_warmup=4, alpha_warmup=3)",
                                     "adopt(lr=0.01)",
                                     "madgrad(lr=0.01)",
                                     "rprop(lr=0.01)",
                                     "yogi(lr=0.01)",
                                     "qhadam(lr=0.01, nu1=0.7)"};

bool has_gradient(std::size_t i, int t) { return i == 0 || (i == 1 && t > 4) || (i == 2 && t % 3 == 1); }

}  // namespace

TEST_CASE("as alone, for every rule with a step count") {
  for (const char* spec : kCounting) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      NamedTensors parameters = model(3, dtype), alone = model(3, dtype);
      Optimizer optimizer(parameters, parse_rule(spec));
      std::vector<Optimizer> own;
      for (const NamedTensor& p : alone) own.emplace_back(NamedTensors{p}, parse_rule(spec));
      for (int t = 0; t < 12; ++t) {
        optimizer.zero_grad();
        for (std::size_t i = 0; i < 4; ++i) {
          if (!has_gradient(i, t)) continue;
          const Array g = gradient(alone[i].tensor, 5, t, i);
          parameters[i].tensor.accumulate_grad(g);
          own[i].zero_grad();
          alone[i].tensor.accumulate_grad(g);
          own[i].step();
        }
        optimizer.step();
      }
      const std::string name = spec;
      if (name.find("lamb") == 0) {  // its sums are over parts that depend on the place in the arena
        for (std::size_t i = 0; i < 4; ++i) {
          const std::vector<double> x = parameters[i].tensor.value().to(DType::f64).to_vector<double>();
          const std::vector<double> y = alone[i].tensor.value().to(DType::f64).to_vector<double>();
          double difference = 0;
          for (std::size_t j = 0; j < x.size(); ++j) difference = std::max(difference, std::abs(x[j] - y[j]));
          CHECK(difference <= (dtype == DType::f32 ? 1e-6 : 1e-14));
        }
      } else {
        CHECK_MESSAGE(same(parameters, alone), name);
      }
    }
  }
}

TEST_CASE("a first gradient at step 1001 moves by lr") {
  Tensor a(Array::zeros({3}), true), b(Array::zeros({2}), true);
  Optimizer optimizer({{"a", a}, {"b", b}}, adam({.lr = 0.01}));
  a.accumulate_grad(Array::full({3}, 1));
  for (int t = 0; t < 1000; ++t) optimizer.step();
  b.accumulate_grad(Array::full({2}, 0.5));
  optimizer.step();
  CHECK(b.value().at({0}) == doctest::Approx(-0.01).epsilon(1e-5));
}

TEST_CASE("missed updates are saved where there are some, and a reset forgets them") {
  NamedTensors parameters = model(3), others = model(3);
  const Rule rule = parse_rule("lookahead(adam(lr=0.01), k=4, alpha=0.5, state=reset)");
  Optimizer optimizer(parameters, rule);
  const auto step = [](Optimizer& o, NamedTensors& p, int t) {
    o.zero_grad();
    for (std::size_t i = 0; i < 4; ++i) {
      if (t != 1 || i != 2) p[i].tensor.accumulate_grad(gradient(p[i].tensor, 5, t, i));
    }
    o.step();
  };
  step(optimizer, parameters, 0);
  const std::size_t plain = optimizer.state_tree().size();
  step(optimizer, parameters, 1);
  const NamedArrays tree = cloned(optimizer.state_tree());
  CHECK(tree.size() == plain + 1);
  CHECK(entry(tree, "groups/0/inner/missed/linear.weight").item() == 1);

  for (std::size_t i = 0; i < 4; ++i) Array(others[i].tensor.value()).copy_from(parameters[i].tensor.value());
  Optimizer resumed(others, rule);
  resumed.load_state_tree(tree);
  step(optimizer, parameters, 2);
  step(resumed, others, 2);
  CHECK(same(parameters, others));
  step(optimizer, parameters, 3);  // the sync
  CHECK(optimizer.state_tree().size() == plain);
  step(resumed, others, 3);
  CHECK(same(parameters, others));
}

TEST_CASE("an outer rule's updates are for all parameters") {
  Tensor a(Array::zeros({1}, DType::f64), true), b(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"a", a}, {"b", b}}, parse_rule("outer_loop(sgd(lr=1), adam(lr=0.1), k=1)"));
  a.accumulate_grad(Array::full({1}, 1, DType::f64));
  optimizer.step();
  optimizer.step();
  for (const NamedArray& e : optimizer.state_tree()) CHECK_FALSE(e.name.find("outer/missed") != std::string::npos);
  CHECK(a.item() == doctest::Approx(-0.2).epsilon(1e-6));
  CHECK(b.item() == 0);
}
