// explain: the paper's line with the numbers in it, from hand values; check_rule holds every rule's to the optimizer.
#include "support.h"

using namespace support;

namespace {

/// The lines of an explanation as "formula name = symbols".
std::vector<std::string> symbols(const Explanation& e) {
  std::vector<std::string> all;
  for (const TracedLine& line : e.lines) all.push_back(line.formula + ": " + line.name + " = " + line.symbols);
  return all;
}

}  // namespace

TEST_CASE("one step of Lookahead round momentum, by hand") {
  Tensor w(Array::from({3, 1}, {1, 2}, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookahead(momentum({.lr = 1, .momentum = 0.5}), {.k = 2, .alpha = 0.5}));
  optimizer.trace("w", {0, 0});
  for (int t = 0; t < 2; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::full({1, 2}, 1, DType::f64));
    optimizer.step();
  }
  // Terms that a coefficient of 0 or 1 leaves without effect are not printed: lr = 1 here.
  // v = 1, w = 2; v = 1.5, w = 0.5; slow = 3 - 0.5 (3 - 0.5) = 1.75
  const Explanation e = optimizer.explain("w", {0, 0});
  CHECK(e.is_exact);
  CHECK(e.step == 2);
  CHECK(e.before == 2);
  CHECK(e.gradient == 1);
  CHECK(e.after == 1.75);
  CHECK(symbols(e) == std::vector<std::string>{"momentum: momentum_buffer = momentum * momentum_buffer + g",
                                               "momentum: w = w - momentum_buffer",
                                               "pull: slow = slow - alpha * (slow - fast)", "sync: fast = slow"});
  CHECK(e.lines[0].numbers == "0.5 * 1 + 1");
  CHECK(e.lines[0].value == 1.5);
  CHECK(e.lines[0].place == "inner/momentum_buffer");
  CHECK(e.lines[2].numbers == "3 - 0.5 * (3 - 0.5)");
  CHECK(e.lines[2].place == "slow");
  const std::string text = e.to_string();
  CHECK(text.find("w[0, 0], step 2: lookahead(momentum(lr=1, momentum=0.5), k=2, alpha=0.5)") == 0);
  CHECK(text.find("as the optimizer has it") != std::string::npos);
}

TEST_CASE("Adam in f32: coefficients by name, numbers of the optimizer's own precision") {
  Tensor w(Array::full({1}, 1), true);
  Optimizer optimizer({{"w", w}}, clip_norm(adam({.lr = 0.1}), 1));
  optimizer.trace("w", {0});
  w.accumulate_grad(Array::full({1}, 4));
  optimizer.step();
  const Explanation e = optimizer.explain("w", {0});
  CHECK(e.is_exact);
  CHECK(symbols(e)[0] == "clip_norm: g = (max / norm) * g");
  CHECK(symbols(e)[1] == "adam: exp_avg = beta1 * exp_avg + (1 - beta1) * g");
  CHECK(e.lines[1].value == static_cast<double>(0.9F * 0 + 0.1F * 1));
  REQUIRE(e.measured.size() == 2);
  CHECK(e.measured[0].first == "norm");
  CHECK(e.measured[0].second == 4);
}

TEST_CASE("what cannot be explained is said") {
  Tensor w(Array::full({2, 3}, 1), true), b(Array::full({3}, 1), true);
  Optimizer optimizer({{"layer.weight", w}, {"layer.bias", b}}, adam());
  w.accumulate_grad(Array::full({2, 3}, 1));
  optimizer.step();
  CHECK(message([&] {
          optimizer.explain("layer.weight", {0, 0});
        }) == "explain: \"layer.weight\" was not traced in the last step; call trace(...) before step()");
  CHECK(message([&] {
          optimizer.trace("layer.wieght", {0, 0});
        }) == "optimizer: no parameter \"layer.wieght\": 2 are bound; did you mean \"layer.weight\"?");
  CHECK(message([&] { optimizer.trace("layer.weight", {0}); }) ==
        "explain: \"layer.weight\" has rank 2, the index 1: [2, 3]");
  CHECK(message([&] {
          optimizer.trace("layer.weight", {0, 3});
        }) == "explain: index 3 of dim 1 is outside \"layer.weight\": [2, 3]");
  optimizer.trace("layer.bias", {2});
  optimizer.zero_grad();
  w.accumulate_grad(Array::full({2, 3}, 1));
  optimizer.step();
  const Explanation e = optimizer.explain("layer.bias", {2});
  CHECK_FALSE(e.has_gradient);
  CHECK(e.lines.empty());
  CHECK(e.after == 1);
  CHECK(e.is_exact);
}

TEST_CASE("numbers of a group and of its tensors are known whatever the names of the parameters") {
  for (const char* rule : {"lookahead(prodigy(lr=1, d0=0.01), k=2, alpha=0.5)", "schedule_free(sgd(lr=0.1), beta=0.5)",
                           "lookahead(novograd(lr=0.1), k=3, alpha=0.5)"}) {
    CAPTURE(rule);
    Tensor w(Array::full({2}, 3, DType::f64), true), v(Array::full({3}, 4, DType::f64), true);
    Optimizer optimizer({{"w", w}, {"a/w", v}}, parse_rule(rule));
    optimizer.trace("w", {1});
    optimizer.trace("a/w", {2});
    for (int t = 0; t < 7; ++t) {
      optimizer.zero_grad();
      w.accumulate_grad(w.value());
      v.accumulate_grad(v.value());
      optimizer.step();
      CHECK(optimizer.explain("w", {1}).is_exact);
      CHECK(optimizer.explain("a/w", {2}).is_exact);
    }
  }
}
