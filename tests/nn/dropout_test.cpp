// Dropout: values, reproducibility by (seed, step, layer), the saved position.
#include <doctest/doctest.h>

#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/init.h>
#include <tandem/nn/sequential.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {
const Tensor ones(Array::full({1000}, 1));
}

TEST_CASE("dropout: elements are 0 or x / (1 - p), gradients follow the mask") {
  nn::seed(0);
  nn::Dropout dropout({.p = 0.25});
  Tensor x(Array::full({10000}, 1), true);
  const Tensor y = dropout(x);
  int zeros = 0;
  for (const double v : y.value().to_vector<double>()) {
    if (v == 0) ++zeros;
    if (v != 0) CHECK(v == doctest::Approx(4.0 / 3));
  }
  CHECK(zeros > 2300);
  CHECK(zeros < 2700);
  sum(y).backward();
  CHECK(identical(x.grad(), y.value()));
}

TEST_CASE("dropout: evaluation and p = 0 pass x through") {
  nn::Dropout dropout;
  dropout.evaluate();
  CHECK(identical(dropout(ones).value(), ones.value()));
  CHECK(identical(nn::Dropout({.p = 0})(ones).value(), ones.value()));
  CHECK(dropout.describe() == "Dropout(0.5)");
  CHECK(error_text([] { nn::Dropout({.p = 1}); }) == "Dropout: p must be in [0, 1): 1 given");
  CHECK(dropout.state_dict().empty());
}

TEST_CASE("dropout: the mask depends on seed, step and layer") {
  const auto masks = [](std::uint64_t seed) {
    nn::seed(seed);
    nn::Dropout a, b;
    return std::vector<Array>{a(ones).value(), a(ones).value(), b(ones).value()};
  };
  const std::vector<Array> first = masks(5), again = masks(5), other = masks(6);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(identical(first[i], again[i]));
    CHECK_FALSE(identical(first[i], other[i]));
  }
  CHECK_FALSE(identical(first[0], first[1]));
  CHECK_FALSE(identical(first[0], first[2]));
}

TEST_CASE("dropout: a model with its random state loaded continues exactly") {
  nn::seed(1);
  nn::Sequential model{layer<nn::Dropout>(), layer<nn::Dropout>({.p = 0.1})};
  nn::Sequential copy{layer<nn::Dropout>(), layer<nn::Dropout>({.p = 0.1})};
  model(ones);
  NamedTensors saved;
  for (const NamedTensor& t : model.random_state()) saved.push_back({t.name, t.tensor.value().clone()});
  REQUIRE(saved.size() == 2);
  CHECK(saved[0].name == "0.generator");
  const Array next = model(ones).value();
  copy.load_random_state(saved);
  CHECK(identical(copy(ones).value(), next));
  CHECK(error_text([&] { copy.load_random_state({saved[0]}); }) ==
        "load_random_state: the state does not fit Sequential: missing (1): 1.generator");
}
