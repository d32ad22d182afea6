// The terms of a traced line: the summands of its formula with their signs, whose sum the line's value is.
#include <cmath>

#include "support.h"

using namespace support;

namespace {

std::vector<std::string> symbols(const TracedLine& line) {
  std::vector<std::string> all;
  for (const TracedTerm& term : line.terms) all.push_back(term.symbols);
  return all;
}

}  // namespace

TEST_CASE("a pull and an update, term by term") {
  Tensor w(Array::full({1}, 3, DType::f64), true);
  Optimizer optimizer({{"w", w}}, lookahead(momentum({.lr = 1, .momentum = 0.5}), {.k = 1, .alpha = 0.5}));
  optimizer.trace("w", {0});
  w.accumulate_grad(Array::full({1}, 2, DType::f64));
  optimizer.step();
  const Explanation e = optimizer.explain("w", {0});
  REQUIRE(e.lines.size() == 4);
  CHECK(symbols(e.lines[0]) == std::vector<std::string>{"momentum * momentum_buffer", "g"});
  CHECK(e.lines[0].terms[1].value == 2);
  CHECK(e.lines[1].terms.front().symbols == "w");
  CHECK(e.lines[1].terms.back().value == -2);
  CHECK(e.lines[1].terms.back().symbols.front() == '-');
  CHECK(symbols(e.lines[2]) == std::vector<std::string>{"slow", "-alpha * (slow - fast)"});
  CHECK(e.lines[2].terms[1].numbers == "-0.5 * (3 - 1)");
  CHECK(e.lines[2].terms[1].value == -1);
  CHECK(symbols(e.lines[3]) == std::vector<std::string>{"slow"});
}

TEST_CASE("the sum of its terms is the value of a line, for every rule") {
  for (const char* spec : {"sgd(lr=0.1, weight_decay=0.01)", "momentum(lr=0.1, momentum=0.9, nesterov)",
                           "adam(lr=0.1, weight_decay=0.1)", "adamw(lr=0.1)", "radam(lr=0.1)", "lion(lr=0.1)",
                           "lookahead(clip_norm(rmsprop(lr=0.1), max=1), k=2)", "ema(adagrad(lr=0.1))"}) {
    CAPTURE(spec);
    Tensor w(Array::full({2}, 1, DType::f64), true);
    Optimizer optimizer({{"w", w}}, parse_rule(spec));
    optimizer.trace("w", {1});
    for (int t = 0; t < 4; ++t) {
      optimizer.zero_grad();
      w.accumulate_grad(Array::from({0.5, t - 1.2}, {2}, DType::f64));
      optimizer.step();
      for (const TracedLine& line : optimizer.explain("w", {1}).lines) {
        double sum = 0, size = 0;
        for (const TracedTerm& term : line.terms) sum += term.value, size += std::abs(term.value);
        CHECK(std::abs(sum - line.value) <= 1e-15 * (1 + size));
      }
    }
  }
}
