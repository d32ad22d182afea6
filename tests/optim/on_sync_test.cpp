// on_sync: what the parameters hold, the order of levels and groups, what a callback may not do, and its exceptions.
#include <stdexcept>

#include "support.h"

using namespace support;

namespace {

Tensor weight(double value) { return Tensor(Array::full({1}, value, DType::f64), true); }

void pull_down(Optimizer& optimizer, std::vector<Tensor> weights) {
  optimizer.zero_grad();
  for (Tensor& w : weights) w.accumulate_grad(Array::full({1}, 1, DType::f64));
  optimizer.step();
}

}  // namespace

TEST_CASE("the parameters hold the last fast weights") {
  // Gradient 1, lr 1, k = 2, alpha = 0.5: 3 -> 2 -> 1 -> 2 (sync) -> 1 -> 0 -> 1 (sync).
  for (const char* spec : {"lookahead(sgd(lr=1), k=2, alpha=0.5)", "outer_loop(sgd(lr=1), sgd(lr=0.5), k=2)",
                           "ema(lookahead(sgd(lr=1), k=2, alpha=0.5), decay=0.5)"}) {
    Tensor w = weight(3);
    Optimizer optimizer({{"w", w}}, parse_rule(spec));
    std::vector<double> seen, steps, after;
    optimizer.on_sync([&](const SyncEvent& event) {
      seen.push_back(w.item());
      steps.push_back(static_cast<double>(event.step));
      CHECK(event.level == 0);
      CHECK(event.name == (std::string(spec).find("outer") == 0 ? "outer_loop" : "lookahead"));
      CHECK(event.groups == std::vector<std::size_t>{0});
    });
    for (int t = 0; t < 4; ++t) {
      pull_down(optimizer, {w});
      after.push_back(w.item());
    }
    CHECK(seen == std::vector<double>{1, 0});
    CHECK(steps == std::vector<double>{2, 4});
    CHECK(after == std::vector<double>{2, 2, 1, 1});
    optimizer.on_sync(nullptr);
    pull_down(optimizer, {w});
    pull_down(optimizer, {w});
    CHECK(seen.size() == 2);
  }
}

TEST_CASE("in a nest the innermost comes first; groups get there together") {
  Tensor w = weight(8), v = weight(8), u = weight(8);
  const Rule nest = parse_rule("lookahead(lookahead(sgd(lr=1), k=2, alpha=0.5), k=4, alpha=0.25)");
  Optimizer optimizer({{{{"w", w}}, nest}, {{{"v", v}}, nest}, {{{"u", u}}, sgd({.lr = 1})}});
  std::vector<std::vector<double>> seen;
  optimizer.on_sync([&](const SyncEvent& event) {
    CHECK(event.groups == std::vector<std::size_t>{0, 1});
    seen.push_back({static_cast<double>(event.step), static_cast<double>(event.level), w.item(), v.item(), u.item()});
  });
  for (int t = 0; t < 4; ++t) pull_down(optimizer, {w, v, u});
  // w: 8, 7, 6 -> 7 (inner), 6, 5 -> 6 (inner) -> 8 + (6 - 8) / 4 (outer).
  CHECK(seen == std::vector<std::vector<double>>{{2, 1, 6, 6, 6}, {4, 1, 5, 5, 4}, {4, 0, 6, 6, 4}});
  CHECK(w.item() == 7.5);
  CHECK(v.item() == 7.5);
}

TEST_CASE("after an exception of the callback the step is complete") {
  Tensor w = weight(3), v = weight(3);
  const Rule rule = parse_rule("lookahead(lookahead(adam(lr=0.1), k=1, alpha=0.5), k=2, alpha=0.5)");
  Optimizer optimizer({{"w", w}}, rule), other({{"v", v}}, rule);
  int calls = 0;
  optimizer.on_sync([&](const SyncEvent&) {
    if (++calls == 2) throw std::runtime_error("enough");
  });
  for (int t = 0; t < 5; ++t) {
    if (t == 1) {
      CHECK_THROWS_WITH_AS(pull_down(optimizer, {w}), "enough", std::runtime_error);
      CHECK(calls == 2);  // the outer loop's is left out
    } else {
      pull_down(optimizer, {w});
    }
    pull_down(other, {v});
    CHECK(w.item() == v.item());
  }
  CHECK(optimizer.step_count() == 5);
  CHECK(optimizer.state_tree().size() == other.state_tree().size());
}

TEST_CASE("what a callback may not do") {
  Tensor w = weight(3);
  Optimizer optimizer({{"w", w}}, parse_rule("lookahead(sgd(lr=1), k=1, alpha=0.5)"));
  const auto inside = [&](const std::function<void()>& action) {
    optimizer.on_sync([&](const SyncEvent&) { action(); });
    return message([&] { pull_down(optimizer, {w}); });
  };
  const auto refused = [](const std::string& what) {
    return "optimizer: " + what + " inside an on_sync callback; call it when the step is complete";
  };
  CHECK(inside([&] { optimizer.step(); }) == refused("step"));
  CHECK(inside([&] { optimizer.state_tree(); }) == refused("state_tree"));
  CHECK(inside([&] { optimizer.load_state_tree({}); }) == refused("load_state_tree"));
  CHECK(inside([&] { auto slow = optimizer.evaluation_weights(); }) == refused("evaluation_weights"));
  CHECK(inside([&] { optimizer.on_sync(nullptr); }) == refused("on_sync"));
  CHECK(inside([&] { optimizer.watch_steps(true); }) == refused("watch_steps"));
  CHECK(inside([&] { sum(w).backward(); }).find("an on_sync callback runs") != std::string::npos);
  CHECK(inside([&] {
          Array x = w.value();
          x.fill(7);
        }) == "optimizer: an on_sync callback changed a parameter");
  CHECK(inside([] {}) == "no error");
}

TEST_CASE("what programs ask: is a scope open, does a rule need a closure") {
  Tensor w = weight(3);
  Optimizer optimizer({{"w", w}}, parse_rule("lookahead(sgd(lr=1), k=2, alpha=0.5)"));
  CHECK_FALSE(optimizer.is_evaluating());
  {
    const auto slow = optimizer.evaluation_weights();
    CHECK(optimizer.is_evaluating());
  }
  CHECK_FALSE(optimizer.is_evaluating());
  CHECK_FALSE(parse_rule("lookahead(adam, k=5, alpha=0.5)").needs_closure());
  CHECK(parse_rule("lookahead(adam, k=5, alpha=0.5, adaptive)").needs_closure());
  CHECK(parse_rule("ema(clip_norm(lookahead(lookahead(lamb, adaptive)), max=1), decay=0.9)").needs_closure());
}
