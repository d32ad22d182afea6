// Where the first number that is not finite comes from.
#include "examples/common/check_finite.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>

namespace ex = tandem::examples;
using namespace tandem;

TEST_CASE("finite or not, by dtype and place") {
  CHECK(ex::is_finite(Array::zeros({3})));
  CHECK(ex::is_finite(Array::arange(3)));
  CHECK(ex::is_finite(Array::empty({0})));
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    Array x = Array::zeros({2, 3}, dtype);
    x.set({1, 2}, std::numeric_limits<double>::infinity());
    CHECK_FALSE(ex::is_finite(x));
    x.set({1, 2}, std::nan(""));
    CHECK_FALSE(ex::is_finite(x));
  }
}

TEST_CASE("the first layer whose output is not finite is named, with its parameter") {
  nn::Sequential model{nn::layer<nn::Linear>({.in = 2, .out = 3}), nn::layer<nn::Linear>({.in = 3, .out = 3}),
                       nn::layer<nn::Linear>({.in = 3, .out = 1})};
  const Tensor x(Array::full({4, 2}, 1));
  const auto forward = [&] { model(x); };
  CHECK(ex::first_not_finite(model, forward) ==
        "the outputs of all layers are finite, the loss computed from them is not");
  Tensor weight = model[1].parameters()[0].tensor;
  weight.mutable_value().set({0, 0}, std::nan(""));
  weight.mutable_value().mark_changed();
  CHECK(ex::first_not_finite(model, forward) ==
        "layer \"1\" " + model[1].describe() + " is the first whose output is not finite (its weight is not)");
  CHECK_THROWS_WITH_AS(ex::fail_not_finite(12, "train_loss", std::nan(""), model, forward),
                       ("step 12: train_loss is nan: layer \"1\" " + model[1].describe() +
                        " is the first whose output is not finite (its weight is not); a smaller lr, a warm-up or "
                        "clip_norm may help")
                           .c_str(),
                       Error);
}
