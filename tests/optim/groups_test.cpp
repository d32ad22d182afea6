// Groups: as one text, stepping together, added later; parameters that were frozen at binding.
#include <tandem/optim/groups.h>

#include "support.h"

using namespace support;

namespace {

Tensor number(double value) { return Tensor(Array::full({1}, value, DType::f64), true); }
void give(Tensor& to, double gradient) { to.accumulate_grad(Array::full({1}, gradient, DType::f64)); }

}  // namespace

TEST_CASE("groups are one rule with one text") {
  const Rule rule = parse_rule("groups( *.bias: sgd(lr=0.1); vectors : sgd(lr=0.2);*: lookahead(adam(lr=0.001), k=5))");
  CHECK(rule.describe() ==
        "groups(*.bias: sgd(lr=0.1); vectors: sgd(lr=0.2); *: lookahead(adam(lr=0.001), k=5, alpha=0.5))");
  CHECK(parse_rule(rule.describe()) == rule);
  CHECK_FALSE(rule.needs_closure());
  CHECK(groups({{"*", lookahead(sgd(), {.adaptive = true})}}).needs_closure());

  NamedTensors parameters = model(3);
  parameters.push_back({"norm.weight", parameter({4}, 9)});
  Optimizer optimizer(parameters, rule);
  const std::vector<Group> split = groups_of(parameters, rule);
  REQUIRE(split.size() == 3);
  CHECK(split[0].parameters.size() == 2);
  CHECK(split[1].parameters.size() == 1);
  CHECK(split[2].parameters.size() == 2);
  CHECK(optimizer.peek("groups/1/lr") == 0.2);
}

TEST_CASE("what is wrong with groups is said") {
  CHECK(message([] {
          lookahead(groups({{"*", sgd()}}));
          Tensor w = number(1);
          Optimizer({{"w", w}}, lookahead(groups({{"*", sgd()}})));
        }) == "groups: must be the outermost rule: groups(*: sgd(lr=0.1)); write the rule round it into each group");
  CHECK(message([] {
          groups({{"*", groups({{"*", sgd()}})}});
        }) == "groups: must be the outermost rule: groups(*: sgd(lr=0.1))");
  CHECK(message([] {
          Optimizer(model(3), groups({{"*.bias", sgd()}}));
        }) ==
        "groups: parameter \"conv.weight\" fits no pattern: groups(*.bias: sgd(lr=0.1)); end with *: a rule for the "
        "rest");
  CHECK(message([] {
          Optimizer(model(3), groups({{"*.wieght", sgd()}, {"*", sgd()}}));
        }) == "groups: no parameter for \"*.wieght\": the first of 4 is \"conv.weight\"");
  CHECK(message([] { parse_rule("groups(sgd(lr=1))"); }).find("expected a group like \"*.bias: sgd(lr=0.1)\"") !=
        std::string::npos);
}

TEST_CASE("patterns") {
  CHECK(fits_pattern("layer1.0.bias", "*.bias"));
  CHECK(fits_pattern("bias", "*"));
  CHECK(fits_pattern("a.b.c", "a*c"));
  CHECK(fits_pattern("a.b.c.d.c", "a*.c"));
  CHECK(fits_pattern("conv1", "conv?"));
  CHECK_FALSE(fits_pattern("conv12", "conv?"));
  CHECK_FALSE(fits_pattern("bias.x", "*.bias"));
  CHECK(fits_pattern("", "**"));
}

TEST_CASE("clip_norm in several groups clips by one norm") {
  for (const bool is_last : {false, true}) {
    Tensor a = number(0), b = number(0), c = number(0);
    std::vector<Group> all = {Group{{{"a", a}}, clip_norm(sgd({.lr = 1}), 1)},
                              Group{{{"b", b}}, lookahead(clip_norm(sgd({.lr = 1}), 1), {.k = 100})}};
    all.insert(is_last ? all.end() : all.begin(), Group{{{"c", c}}, sgd({.lr = 1})});
    Optimizer optimizer(all);
    give(a, 3), give(b, 4), give(c, 100);
    optimizer.step();
    // PyTorch's clip_grad_norm_ over (3, 4): 0.6 and 0.8; the group without clip_norm takes no part
    CHECK(a.item() == doctest::Approx(-0.6).epsilon(1e-15));
    CHECK(b.item() == doctest::Approx(-0.8).epsilon(1e-15));
    CHECK(c.item() == -100);
  }
}

TEST_CASE("groups with a closure and one loss step together, in either order") {
  for (const bool is_swapped : {false, true}) {
    Tensor a = number(1), b = number(1);
    const Group looking{{{"a", a}}, lookahead(sgd({.lr = 1}), {.k = 1, .adaptive = true})},
        plain{{{"b", b}}, sgd({.lr = 1})};
    Optimizer optimizer(is_swapped ? std::vector{plain, looking} : std::vector{looking, plain});
    optimizer.step([&] {
      const Tensor loss = sum(a * b);
      loss.backward();
      return loss;
    });
    // Both gradients at (1, 1) are 1, so a = 0 and b = 0 after the inner steps. There the loss is 0 along a: no
    // curvature and no slope, so alpha is alpha_low.
    CHECK(b.item() == 0);
    CHECK(a.item() == 0.5);
  }
}

TEST_CASE("a group may be added later, and one may be all frozen") {
  Tensor a = number(0), b = number(0);
  b.set_requires_grad(false);
  Optimizer optimizer({Group{{{"a", a}}, sgd({.lr = 1})}, Group{{{"b", b}}, adam()}});
  give(a, 1);
  optimizer.step();
  CHECK(a.item() == -1);
  b.set_requires_grad(true);
  give(b, 1);
  CHECK(message([&] { optimizer.step(); }) ==
        "optimizer: parameter \"b\" has a gradient, but was frozen when it was bound; give it to add_group(), or "
        "unfreeze "
        "before the Optimizer is made");
  CHECK(a.item() == -1);
  optimizer.add_group({{{"b", b}}, sgd({.lr = 2})});
  optimizer.watch_steps(true);
  optimizer.step();
  CHECK(b.item() == -2);
  CHECK(a.item() == -2);
  CHECK(optimizer.last_step().update_norm == doctest::Approx(std::sqrt(5.0)));
  optimizer.zero_grad();
  CHECK_FALSE(b.has_grad());
  CHECK(optimizer.state_tree().size() > 2);
  CHECK(message([&] {
          optimizer.add_group({{{"b", b}}, sgd()});
        }) ==
        "optimizer: parameter \"b\" belongs to another live Optimizer; give several rules to one Optimizer as groups");
}

TEST_CASE("k is a schedule, rounded to a whole number") {
  Tensor w = number(0);
  Optimizer optimizer({{"w", w}},
                      lookahead(sgd({.lr = 1}), {.k = 4 * schedule::step({.every = 4, .by = 0.5}), .alpha = 1}));
  optimizer.watch_steps(true);
  std::vector<std::int64_t> syncs;
  for (int t = 1; t <= 10; ++t) {
    optimizer.zero_grad();
    give(w, 1);
    optimizer.step();
    if (optimizer.last_step().levels[0].synced) syncs.push_back(t);
  }
  CHECK(syncs == std::vector<std::int64_t>{4, 6, 8, 9, 10});  // k = 4, then 2, then 1
  CHECK(message([] { lookahead(sgd(), {.k = 2.5}); }) == "lookahead: k is 2.5, must be a whole number");
  CHECK(message([] {
          lookahead(sgd(), {.k = 4 * schedule::linear({.total = 10})});
        }).find("lookahead: k is 0 at step 10") == 0);
  CHECK(parse_rule("lookahead(sgd(lr=0.1), k=4 * step(every=4, by=0.5), alpha=0.5)").describe() ==
        "lookahead(sgd(lr=0.1), k=4 * step(every=4, by=0.5), alpha=0.5)");
}
