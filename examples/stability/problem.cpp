// Linear models of 5 and 10 inputs, and a network of one hidden layer.
#include "problem.h"

#include <fmt/format.h>

#include <cmath>

#include <tandem/core/error.h>

namespace tandem::stability {
namespace {

constexpr int kInputs = 5, kLogisticInputs = 10, kHidden = 8;
constexpr int kNetworkWeights = kHidden * kInputs + kHidden + kHidden + 1;
constexpr double kRidge = 0.1, kLogisticScale = 3, kNetworkNoise = 0.5;

template <int D>
double dot(const double* w, const double* x) {
  double sum = 0;
  for (int i = 0; i < D; ++i) sum += w[i] * x[i];
  return sum;
}

/// (w x - y)^2 / 2
double square_loss(const double* w, const double* x, double y) {
  const double r = dot<kInputs>(w, x) - y;
  return r * r / 2;
}
double square_gradient(const double* w, const double* x, double y, double* g) {
  const double r = dot<kInputs>(w, x) - y;
  for (int i = 0; i < kInputs; ++i) g[i] += r * x[i];
  return r * r / 2;
}
double square_label(const double* teacher, const double* x, Generator& random) {
  return dot<kInputs>(teacher, x) + random.normal();
}

/// log(1 + exp(-y w x)), y is -1 or 1
double log_one_plus_exp(double z) { return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z)); }
double logistic_loss(const double* w, const double* x, double y) {
  return log_one_plus_exp(-y * dot<kLogisticInputs>(w, x));
}
double logistic_gradient(const double* w, const double* x, double y, double* g) {
  const double z = y * dot<kLogisticInputs>(w, x);
  const double factor = -y / (1 + std::exp(z));
  for (int i = 0; i < kLogisticInputs; ++i) g[i] += factor * x[i];
  return log_one_plus_exp(-z);
}
double logistic_label(const double* teacher, const double* x, Generator& random) {
  const double z = kLogisticScale * dot<kLogisticInputs>(teacher, x);
  return random.uniform() < 1 / (1 + std::exp(-z)) ? 1 : -1;
}

/// f(x) = sum_h v_h tanh(w_h x + c_h) + e, weights in the order w, c, v, e; loss (f - y)^2 / 2
struct Forward {
  double hidden[kHidden], out;
};
Forward forward(const double* w, const double* x) {
  const double *c = w + kHidden * kInputs, *v = c + kHidden;
  Forward f;
  f.out = v[kHidden];
  for (int h = 0; h < kHidden; ++h) {
    f.hidden[h] = std::tanh(dot<kInputs>(w + h * kInputs, x) + c[h]);
    f.out += v[h] * f.hidden[h];
  }
  return f;
}
double network_loss(const double* w, const double* x, double y) {
  const double r = forward(w, x).out - y;
  return r * r / 2;
}
double network_gradient(const double* w, const double* x, double y, double* g) {
  const Forward f = forward(w, x);
  const double r = f.out - y;
  const double* v = w + kHidden * kInputs + kHidden;
  double *dc = g + kHidden * kInputs, *dv = dc + kHidden;
  for (int h = 0; h < kHidden; ++h) {
    const double before = r * v[h] * (1 - f.hidden[h] * f.hidden[h]);
    for (int i = 0; i < kInputs; ++i) g[h * kInputs + i] += before * x[i];
    dc[h] += before;
    dv[h] += r * f.hidden[h];
  }
  dv[kHidden] += r;
  return r * r / 2;
}
double network_label(const double* teacher, const double* x, Generator& random) {
  return forward(teacher, x).out + kNetworkNoise * random.normal();
}

}  // namespace

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all = {
      {.name = "least_squares",
       .title = "Least squares",
       .about = "5 weights, labels with noise of deviation 1, loss (w x - y)² / 2. Convex; with 5 inputs also strongly "
                "convex, where no direction lacks examples.",
       .inputs = kInputs,
       .weights = kInputs,
       .lr = 1,
       .smoothness = 1,
       .strength = 1.0 / kInputs,
       .gradient = square_gradient,
       .loss = square_loss,
       .label = square_label},
      {.name = "logistic",
       .title = "Logistic regression",
       .about =
           "10 weights, labels drawn from a teacher, loss log(1 + exp(-y w x)): convex, and flatter the further out.",
       .inputs = kLogisticInputs,
       .weights = kLogisticInputs,
       .lr = 2,
       .smoothness = 0.25,
       .gradient = logistic_gradient,
       .loss = logistic_loss,
       .label = logistic_label},
      {.name = "ridge",
       .title = "Ridge regression",
       .about = "Least squares as above with |w|² / 20 beside it: strongly convex.",
       .inputs = kInputs,
       .weights = kInputs,
       .lr = 1,
       .ridge = kRidge,
       .smoothness = 1 + kRidge,
       .strength = 1.0 / kInputs + kRidge,
       .gradient = square_gradient,
       .loss = square_loss,
       .label = square_label},
      {.name = "network",
       .title = "A small network",
       .about =
           "One hidden layer of 8 tanh units, 57 weights; labels of another such network with noise of deviation 0.5; "
           "loss (f - y)² / 2: not convex.",
       .inputs = kInputs,
       .weights = kNetworkWeights,
       .lr = 0.2,
       .is_convex = false,
       .gradient = network_gradient,
       .loss = network_loss,
       .label = network_label},
  };
  return all;
}

const Problem& find_problem(std::string_view name) {
  std::vector<std::string> names;
  std::string known;
  for (const Problem& problem : problems()) {
    if (problem.name == name) return problem;
    known += (names.empty() ? "" : ", ") + problem.name;
    names.push_back(problem.name);
  }
  const std::string near = nearest_word(name, names.data(), names.size());
  fail_usage("--problem", fmt::format("\"{}\" is not known", name), known,
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

Examples Problem::draw(std::size_t count, const std::vector<double>& teacher, Generator random) const {
  Examples examples;
  const double deviation = 1 / std::sqrt(static_cast<double>(inputs));
  for (std::size_t i = 0; i < count; ++i) {
    for (int d = 0; d < inputs; ++d) examples.x.push_back(deviation * random.normal());
    examples.y.push_back(label(teacher.data(), examples.x.data() + i * static_cast<std::size_t>(inputs), random));
  }
  return examples;
}

std::vector<double> Problem::initial(Generator random) const {
  std::vector<double> w(static_cast<std::size_t>(weights), 0);
  if (!is_convex)
    for (double& value : w) value = random.normal() / std::sqrt(static_cast<double>(inputs));
  return w;
}

double mean_loss(const Problem& problem, const double* w, const Examples& examples) {
  double sum = 0;
  for (std::size_t i = 0; i < examples.count(); ++i)
    sum += problem.loss(w, examples.x.data() + i * static_cast<std::size_t>(problem.inputs), examples.y[i]);
  return sum / static_cast<double>(examples.count());
}

}  // namespace tandem::stability
