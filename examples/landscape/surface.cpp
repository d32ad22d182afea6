// Each formula once, as a template on the scalar.
#include "surface.h"

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>

namespace tandem::landscape {
namespace {

template <class T>
T bowl(const T& x, const T& y) {
  return 0.5 * (x * x + 4.0 * y * y);
}

/// Condition number 50: a step that is short enough for y is too short for x.
template <class T>
T ravine(const T& x, const T& y) {
  return 0.5 * (x * x + 50.0 * y * y);
}

/// Rosenbrock 1960: a bent valley.
template <class T>
T rosenbrock(const T& x, const T& y) {
  const T across = y - x * x;
  return (1.0 - x) * (1.0 - x) + 100.0 * across * across;
}

/// Beale 1958: a plain with steep sides.
template <class T>
T beale(const T& x, const T& y) {
  const T a = 1.5 - x + x * y, b = 2.25 - x + x * y * y, c = 2.625 - x + x * y * y * y;
  return a * a + b * b + c * c;
}

/// Himmelblau 1972: four minima.
template <class T>
T himmelblau(const T& x, const T& y) {
  const T a = x * x + y - 11.0, b = x + y * y - 7.0;
  return a * a + b * b;
}

/// Flat along y at the origin, from where it falls to both sides.
template <class T>
T saddle(const T& x, const T& y) {
  return 0.5 * (x * x - y * y) + 0.25 * y * y * y * y;
}

}  // namespace

const std::vector<Surface>& surfaces() {
  static const std::vector<Surface> all = {
      {.name = "bowl",
       .formula = "(x² + 4 y²) / 2",
       .start = {-4, 2},
       .low = {-5, -3},
       .high = {5, 3},
       .minima = {{0, 0}},
       .optimizers = {"sgd(lr=0.02)", "sgd(lr=0.4)", "sgd(lr=0.505)", "lookahead(sgd(lr=0.505), k=5, alpha=0.5)"},
       .value = bowl<double>,
       .loss = bowl<Tensor>},
      {.name = "ravine",
       .formula = "(x² + 50 y²) / 2",
       .start = {-9, 1},
       .low = {-10, -2.5},
       .high = {4, 2.5},
       .minima = {{0, 0}},
       .optimizers = {"sgd(lr=0.004)", "sgd(lr=0.038)", "sgd(lr=0.0405)", "lookahead(sgd(lr=0.0405), k=5, alpha=0.5)"},
       .value = ravine<double>,
       .loss = ravine<Tensor>},
      {.name = "rosenbrock",
       .formula = "(1 - x)² + 100 (y - x²)²",
       .start = {-1.2, 1},
       .low = {-2, -1},
       .high = {2, 3},
       .minima = {{1, 1}},
       .optimizers = {"sgd(lr=0.001)", "momentum(lr=0.001, momentum=0.9)", "adam(lr=0.1)",
                      "lookahead(momentum(lr=0.001, momentum=0.9), k=5, alpha=0.5)"},
       .value = rosenbrock<double>,
       .loss = rosenbrock<Tensor>},
      {.name = "beale",
       .formula = "(1.5 - x + x y)² + (2.25 - x + x y²)² + (2.625 - x + x y³)²",
       .start = {1, 1.5},
       .low = {-1, -2},
       .high = {4.5, 2},
       .minima = {{3, 0.5}},
       .optimizers = {"sgd(lr=0.002)", "momentum(lr=0.002, momentum=0.9)", "adam(lr=0.1)",
                      "lookahead(momentum(lr=0.002, momentum=0.9), k=5, alpha=0.5)"},
       .value = beale<double>,
       .loss = beale<Tensor>},
      {.name = "himmelblau",
       .formula = "(x² + y - 11)² + (x + y² - 7)²",
       .start = {0.5, -0.5},
       .low = {-5, -5},
       .high = {5, 5},
       .minima = {{3, 2}, {-2.805118, 3.131312}, {-3.779310, -3.283186}, {3.584428, -1.848127}},
       .optimizers = {"sgd(lr=0.001)", "sgd(lr=0.02)", "momentum(lr=0.01, momentum=0.9)",
                      "lookahead(momentum(lr=0.01, momentum=0.9), k=5, alpha=0.5)"},
       .value = himmelblau<double>,
       .loss = himmelblau<Tensor>},
      {.name = "saddle",
       .formula = "(x² - y²) / 2 + y⁴ / 4",
       .start = {-1.8, 0.001},
       .low = {-2, -1.6},
       .high = {2, 1.6},
       .minima = {{0, 1}, {0, -1}},
       .optimizers = {"sgd(lr=0.1)", "momentum(lr=0.1, momentum=0.9)", "adam(lr=0.1)",
                      "lookahead(momentum(lr=0.1, momentum=0.9), k=5, alpha=0.5)"},
       .value = saddle<double>,
       .loss = saddle<Tensor>},
  };
  return all;
}

const Surface& find_surface(std::string_view name) {
  std::vector<std::string> names;
  for (const Surface& surface : surfaces()) {
    if (surface.name == name) return surface;
    names.push_back(surface.name);
  }
  const std::string near = nearest_word(name, names.data(), names.size());
  std::string known;
  for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
  fail_usage("--surface", fmt::format("\"{}\" is not known", name), known,
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace tandem::landscape
