// Values of the axes.
#include "plan.h"

#include <fmt/format.h>

namespace tandem::stability {
namespace {

/// The three methods at an lr.
std::vector<Method> methods(const Settings& s, double lr) {
  return {{"sgd", lr, 1, 1}, {"sgd at alpha lr", lr * s.alpha, 1, 1}, {"lookahead", lr, s.k, s.alpha}};
}

}  // namespace

const char* name(Axis axis) {
  constexpr const char* kNames[] = {"batch", "n", "k", "alpha", "steps", "speedup"};
  return kNames[static_cast<std::size_t>(axis)];
}

std::string Cell::key() const {
  const Method& m = training.method;
  return fmt::format("{} {} {} {} lr={} k={} alpha={} n={} b={} steps={}", problem, name(axis), at, m.name, m.lr, m.k,
                     m.alpha, training.n, training.batch, training.looks.back());
}

std::vector<Cell> plan(const Settings& s) {
  std::vector<Cell> cells;
  for (const std::string& problem : s.problems) {
    const double lr = find_problem(problem).lr;
    const auto add = [&](Axis axis, double at, const Training& training) {
      cells.push_back({problem, axis, at, training});
    };
    const auto base = [&](const Method& m) { return Training{m, s.n, s.batch, {s.steps}}; };
    for (const Method& m : methods(s, lr)) {
      for (const int batch : {1, 2, 4, 8, 16, 32}) {
        Training t = base(m);
        t.batch = batch;
        add(Axis::batch, batch, t);
      }
      for (const int n : {25, 50, 100, 200, 400}) {
        Training t = base(m);
        t.n = n;
        add(Axis::n, n, t);
      }
      Training way = base(m);
      way.looks = {5, 10, 20, 40, 80, 160, 320, 640, 1280};
      add(Axis::steps, 0, way);
      for (const int batch : {1, 2, 4, 8, 16}) {
        Training t = base(m);
        t.batch = batch;
        t.method.lr *= batch / 16.0;
        t.looks = {3200 / batch};
        add(Axis::speedup, batch, t);
      }
    }
    for (const int k : {1, 2, 5, 10, 20, 50}) add(Axis::k, k, base({"lookahead", lr, k, s.alpha}));
    for (const char* control : {"sgd", "sgd at alpha lr"})  // they have no k
      for (const int k : {1, 50}) add(Axis::k, k, base({control, control[3] == '\0' ? lr : lr * s.alpha, 1, 1}));
    for (const double alpha : {0.1, 0.2, 0.35, 0.5, 0.8, 1.0}) {
      add(Axis::alpha, alpha, base({"lookahead", lr, s.k, alpha}));
      add(Axis::alpha, alpha, base({"sgd at alpha lr", lr * alpha, 1, 1}));
    }
  }
  return cells;
}

}  // namespace tandem::stability
