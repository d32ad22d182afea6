// Where the first number that is not finite comes from.
#include <tandem/train/finite_watch.h>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>

using namespace tandem;
using train::FiniteWatch, train::is_finite;

TEST_CASE("finite or not, by dtype and place") {
  CHECK(is_finite(Array::zeros({3})));
  CHECK(is_finite(Array::arange(3)));
  CHECK(is_finite(Array::empty({0})));
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    Array x = Array::zeros({2, 3}, dtype);
    x.set({1, 2}, std::numeric_limits<double>::infinity());
    CHECK_FALSE(is_finite(x));
    x.set({1, 2}, std::nan(""));
    CHECK_FALSE(is_finite(x));
  }
}

TEST_CASE(
    "the first layer whose output is not finite is named, with its parameter: searched for, or in an evaluation") {
  nn::Sequential model{nn::layer<nn::Linear>({.in = 2, .out = 3}), nn::layer<nn::Linear>({.in = 3, .out = 3}),
                       nn::layer<nn::Linear>({.in = 3, .out = 1})};
  FiniteWatch watch(model);
  const Tensor x(Array::full({4, 2}, 1));
  model(x);
  const std::string nothing = "the outputs of all layers are finite, the loss computed from them is not";
  CHECK(watch.finding() == nothing);
  Tensor weight = model[1].parameters()[0].tensor;
  const Array before = weight.value().clone();
  weight.mutable_value().set({0, 0}, std::nan(""));
  weight.mutable_value().mark_changed();
  model(x);
  CHECK(watch.finding() == nothing);  // a step looks at its loss alone
  const std::string found =
      "layer \"1\" " + model[1].describe() + " is the first whose output is not finite (its weight is not)";
  SUBCASE("searched for, through any door") {
    watch.search(true);
    model[2](model[1](model[0](x)));
    watch.search(false);
  }
  SUBCASE("in an evaluation, of the model called whole") {
    model.evaluate();
    model(x);
  }
  CHECK(watch.finding() == found);
  weight.mutable_value().copy_from(before);  // a later call does not take the finding back
  model(x);
  CHECK(watch.finding() == found);
}
