// Watching steps and listening to syncs change no bit of the weights; reports do not depend on threads or callbacks.
#include <cmath>

#include "every_rule.h"
#include "support.h"

using namespace support;

namespace {

/// Steps of any rule on the loss 1/2 |w - 1|^2, by a closure where it needs one.
NamedTensors run(const Rule& rule, DType dtype, const std::function<void(Optimizer&)>& before,
                 const std::function<void(Optimizer&)>& after = nullptr) {
  NamedTensors parameters = model(5, dtype);
  Optimizer optimizer(parameters, rule);
  before(optimizer);
  const auto backward = [&] {
    double loss = 0;
    for (const NamedTensor& p : parameters) {
      Tensor t = p.tensor;
      Array g = t.value().clone();
      if (dtype == DType::f32) {
        for (std::int64_t i = 0; i < g.size(); ++i) g.data<float>()[i] -= 1;
      } else {
        for (std::int64_t i = 0; i < g.size(); ++i) g.data<double>()[i] -= 1;
      }
      for (const double d : g.to(DType::f64).to_vector<double>()) loss += 0.5 * d * d;
      t.accumulate_grad(g);
    }
    return Tensor(Array::full({}, loss, DType::f64));
  };
  for (int t = 0; t < 9; ++t) {
    if (optimizer.needs_closure()) {
      optimizer.step(backward);
    } else {
      optimizer.zero_grad();
      backward();
      optimizer.step();
    }
    if (after) after(optimizer);
  }
  return parameters;
}

}  // namespace

TEST_CASE("watching and listening change no bit of the weights, of any rule") {
  for (const char* text : kRules) {
    const Rule rule = parse_rule(text);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const NamedTensors plain = run(rule, dtype, [](Optimizer&) {});
      CHECK_MESSAGE(same(plain, run(rule, dtype, [](Optimizer& o) { o.watch_steps(true); })), text);
      CHECK_MESSAGE(same(plain, run(rule, dtype, [](Optimizer& o) { o.on_sync([](const SyncEvent&) {}); })), text);
      CHECK_MESSAGE(same(plain, run(rule, dtype,
                                    [](Optimizer& o) {
                                      o.watch_steps(true);
                                      o.on_sync([](const SyncEvent&) {});
                                    })),
                    text);
    }
  }
}

TEST_CASE("reports are the same for any number of threads, and with a callback") {
  const int threads_before = threads();
  for (const char* text : kRules) {
    const Rule rule = parse_rule(text);
    const auto reports = [&](int n, bool listen) {
      set_threads(n);
      std::vector<double> all;
      run(
          rule, DType::f32,
          [&](Optimizer& o) {
            o.watch_steps(true);
            if (listen) o.on_sync([](const SyncEvent&) {});
          },
          [&](Optimizer& o) {
            const StepReport& r = o.last_step();
            for (const double x : {r.gradient_norm, r.update_norm, r.clip_factor}) all.push_back(x);
            for (const LevelReport& l : r.levels) all.push_back(l.distance), all.push_back(l.synced);
            // Rules whose first step, or first of a cycle, moves nothing; accumulate between two.
            const std::string described = rule.describe();
            const std::size_t every = described.find(", n=");
            const bool is_soap = described.find("soap(") != std::string::npos;
            const bool may_wait = is_soap || described.find("adopt(") != std::string::npos;
            const bool is_reset = is_soap && described.find("k=3, alpha=0.5, state=reset") != std::string::npos;
            const bool waits = every != std::string::npos
                                   ? o.step_count() % std::stoi(described.substr(every + 4)) != 0
                                   : may_wait && (o.step_count() == 1 || (is_reset && o.step_count() % 3 == 1));
            // lbfgs is at the minimum of this quadratic after two steps, as near as f32 goes.
            const bool is_there = described.find("lbfgs") != std::string::npos && r.gradient_norm < 1e-4;
            CHECK_MESSAGE((is_there || (r.gradient_norm > 0 && std::isfinite(r.gradient_norm))), described);
            // All weights overshoot their minimum in the same step of momentum, and cautious masks all of them there.
            const bool is_masked = described.find("cautious(momentum") != std::string::npos && r.update_norm == 0;
            const bool is_still = r.update_norm == 0 || (is_there && r.update_norm < 1e-4);
            CHECK_MESSAGE(
                (waits || is_masked || is_there ? is_still : r.update_norm > 0 && std::isfinite(r.update_norm)),
                described);
          });
      return all;
    };
    const std::vector<double> one = reports(1, false);
    CHECK_MESSAGE(one == reports(2, false), text);
    CHECK_MESSAGE(one == reports(2, true), text);
  }
  set_threads(threads_before);
}
