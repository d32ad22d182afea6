// summary: rows, totals, the printed table, and that the model is left as it was; observers of calls.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/summary.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

TEST_CASE("summary: ResNet-20 has 269,722 parameters and 41 M multiply-adds") {
  const auto model = nn::resnet20();
  const nn::Summary table = nn::summary(*model, {1, 3, 32, 32});
  CHECK(table.parameters == 269722);
  CHECK(table.trainable_parameters == 269722);
  CHECK(table.multiply_adds == 40551040);
  CHECK(table.rows.front().output == Shape{1, 10});
  for (const nn::SummaryRow& row : table.rows) {
    CAPTURE(row.name);
    CHECK(row.called);
  }
  CHECK(nn::summary(*model, {4, 3, 32, 32}).multiply_adds == 4 * 40551040);
  CHECK(nn::summary(*nn::resnet18(), {1, 3, 32, 32}).multiply_adds == 555422720);
}

TEST_CASE("summary: the printed table") {
  nn::Sequential model{layer<nn::Conv2d>({.in = 1, .out = 2, .bias = false}), layer<nn::Flatten>(),
                       layer<nn::Linear>({.in = 8, .out = 3})};
  model[0].freeze();
  const std::string expected = R"(name     layer                                output        parameters  multiply-adds
-------------------------------------------------------------------------------------
(model)  Sequential                           [5, 3]
  0      Conv2d(1 -> 2, kernel 3x3, no bias)  [5, 2, 2, 2]          18            360
  1      Flatten                              [5, 8]
  2      Linear(8 -> 3)                       [5, 3]                27            120
-------------------------------------------------------------------------------------
total                                                               45            480
input [5, 1, 4, 4], 18 parameters frozen
)";
  CHECK(to_string(nn::summary(model, {5, 1, 4, 4})) == expected);
}

TEST_CASE("summary: a shared layer counts its parameters once and its work twice") {
  const auto shared = layer<nn::Linear>({.in = 4, .out = 4});
  nn::Sequential model{shared, shared};
  const nn::Summary table = nn::summary(model, {1, 4});
  CHECK(table.parameters == 20);
  CHECK(table.multiply_adds == 32);
  CHECK(table.rows.size() == 2);
}

TEST_CASE("summary: the model is left as it was, also after an error") {
  nn::Sequential model{layer<nn::BatchNorm2d>({.channels = 2}), layer<nn::ReLU>()};
  auto& bn = dynamic_cast<nn::BatchNorm2d&>(model[0]);
  model[1].evaluate();
  nn::summary(model, {1, 2, 1, 1});
  CHECK(bn.num_batches_tracked.item() == 0);
  CHECK_THROWS_AS(nn::summary(model, {1, 3, 4, 4}), Error);
  CHECK(model.is_training());
  CHECK(bn.is_training());
  CHECK_FALSE(model[1].is_training());
  CHECK(is_recording());
}

TEST_CASE("summary: a layer that is not called says so") {
  struct Unused : nn::Module {
    nn::Linear linear{{.in = 2, .out = 2}};
    Unused() { child("linear", linear); }
    Tensor forward(const Tensor& x) override { return x; }
  } model;
  const nn::Summary table = nn::summary(model, {1, 2});
  CHECK_FALSE(table.rows[1].called);
  CHECK(to_string(table).find("not called") != std::string::npos);
}

TEST_CASE("output_shape: what the model makes of an input, in evaluation behaviour, unrecorded") {
  nn::Sequential model{layer<nn::Conv2d>({.in = 3, .out = 8, .stride = 2, .padding = 1}),
                       layer<nn::BatchNorm2d>({.channels = 8}), layer<nn::Flatten>()};
  CHECK(nn::output_shape(model, {1, 3, 32, 32}) == Shape{1, 8 * 16 * 16});
  CHECK(dynamic_cast<nn::BatchNorm2d&>(model[1]).num_batches_tracked.item() == 0);
  CHECK(model.is_training());
  CHECK(is_recording());
  model.to(DType::f64);
  CHECK(nn::output_shape(model, {2, 3, 8, 8}) == Shape{2, 8 * 4 * 4});
  nn::Embedding embedding({.tokens = 5, .width = 3});
  CHECK(nn::output_shape(embedding, Tensor(Array::zeros({2, 4}, DType::i64))) == Shape{2, 4, 3});
  CHECK_THROWS_AS(nn::output_shape(model, {1, 4, 32, 32}), Error);
}
