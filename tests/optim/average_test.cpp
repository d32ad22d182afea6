// Averages: hand values, that they never feed back, what evaluation_weights() shows, nesting with lookahead.
#include "support.h"

using namespace support;

namespace {

/// One weight from 0, gradient -1, lr 1: the weight after step t is t. What an evaluation shows after each step.
std::vector<double> shown(const char* spec, int steps) {
  Tensor w(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, parse_rule(spec));
  std::vector<double> path;
  for (int t = 1; t <= steps; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, -1, DType::f64));
    optimizer.step();
    const double fast = w.item();
    {
      const auto average = optimizer.evaluation_weights();
      path.push_back(w.item());
    }
    CHECK(w.item() == fast);
  }
  return path;
}

}  // namespace

TEST_CASE("averages by hand") {
  CHECK(shown("polyak(sgd(lr=1))", 4) == std::vector<double>{1, 1.5, 2, 2.5});
  CHECK(shown("ema(sgd(lr=1), decay=0.5)", 4) == std::vector<double>{1, 1.5, 2.25, 3.125});
  CHECK(shown("swa(sgd(lr=1), from=2, every=2)", 6) == std::vector<double>{1, 2, 2, 3, 3, 4});
  CHECK(shown("swa(sgd(lr=1), every=3)", 7) == std::vector<double>{1, 2, 3, 3, 3, 4.5, 4.5});
  CHECK(shown("ema(sgd(lr=1), decay=0)", 3) == std::vector<double>{1, 2, 3});
}

TEST_CASE("the outermost average or slow weights are shown") {
  // Fast weights 1 | 2 -> 1, 2 | 3 -> 2: slow 0, 1, 1, 2.
  CHECK(shown("lookahead(sgd(lr=1), k=2, alpha=0.5)", 4) == std::vector<double>{0, 1, 1, 2});
  CHECK(shown("polyak(lookahead(sgd(lr=1), k=2, alpha=0.5))", 4) == std::vector<double>{1, 1, 4.0 / 3, 1.5});
  CHECK(shown("lookahead(polyak(sgd(lr=1)), k=2, alpha=0.5)", 4) == std::vector<double>{0, 1, 1, 2});
  CHECK(shown("swa(lookahead(sgd(lr=1), k=2, alpha=0.5), from=4)", 4) == std::vector<double>{0, 1, 1, 2});
  CHECK(shown("clip_norm(ema(sgd(lr=1), decay=0.5), max=10)", 3) == std::vector<double>{1, 1.5, 2.25});
  CHECK(shown("ema(polyak(sgd(lr=1)), decay=0.5)", 3) == std::vector<double>{1, 1.5, 2.25});
}

TEST_CASE("an average never feeds back") {
  for (const Rule& rule : {adam({.lr = 0.1}), lookahead(momentum({.lr = 0.1}), {.k = 3}),
                           lookahead(adam(), {.k = 4, .state = InnerState::interpolate})}) {
    CAPTURE(rule.describe());
    const NamedTensors plain = trained(rule, 13);
    CHECK(same(trained(ema(rule, {.decay = 0.9}), 13), plain));
    CHECK(same(trained(swa(rule, {.from = 4, .every = 3}), 13), plain));
    CHECK(same(trained(polyak(rule), 13), plain));
    CHECK(same(trained(lookahead(ema(rule), {.k = 5}), 13), trained(lookahead(rule, {.k = 5}), 13)));
  }
}

TEST_CASE("an average inside a loop survives its syncs") {
  Tensor w(Array::zeros({1}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookahead(polyak(sgd({.lr = 1})), {.k = 2, .alpha = 0.5}));
  for (int t = 0; t < 4; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, -1, DType::f64));
    optimizer.step();
  }
  CHECK(entry(optimizer.state_tree(), "groups/0/inner/taken").item() == 4);
  CHECK(entry(optimizer.state_tree(), "groups/0/inner/average/w").item() == (1 + 2 + 2 + 3) / 4.0);  // before each pull
}

TEST_CASE("loaded weights begin a new average") {
  Tensor w(Array::zeros({1}), true);
  Optimizer optimizer({{"w", w}}, polyak(sgd({.lr = 1})));
  const auto step = [&] {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1}, -1));
    optimizer.step();
  };
  step();
  step();
  w.mutable_value().copy_from(Array::full({1}, 100));
  {
    const auto average = optimizer.evaluation_weights();
    CHECK(w.item() == 100);
  }
  step();
  step();
  const auto average = optimizer.evaluation_weights();
  CHECK(w.item() == 101.5);
}

TEST_CASE("averages have text and refuse what is out of range") {
  for (const char* text : {"ema(adam(lr=0.001), decay=0.99)", "polyak(sgd(lr=0.1))",
                           "swa(lookahead(adam(lr=0.001), k=5, alpha=0.5), from=100, every=5)",
                           "ema(sgd(lr=0.1), decay=0.9 * linear(total=10, end=1))"}) {
    CHECK(parse_rule(text).describe() == text);
  }
  CHECK(message([] { ema(sgd(), {.decay = 1}); }) == "ema: decay is 1, must be in [0, 1)");
  CHECK(message([] { swa(sgd(), {.every = 0}); }) == "swa: every is 0, must be at least 1");
  CHECK(message([] { swa(sgd(), {.from = -1}); }) == "swa: from is -1, must be at least 0");
}
