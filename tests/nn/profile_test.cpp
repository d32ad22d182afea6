// A profile of a training: paths of layers, ops forward and backward, and the same bits as without.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>
#include <tandem/core/profile_report.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>

using namespace tandem;

namespace {

struct Block : nn::Module {
  Block() { child("body", body); }
  nn::Sequential body{nn::layer<nn::Conv2d>({.in = 3, .out = 16, .kernel = 3, .padding = 1}),
                      nn::layer<nn::BatchNorm2d>({.channels = 16}), nn::layer<nn::ReLU>()};
  nn::Sub<nn::Dropout> dropout{this, "dropout", {.p = 0.2}};
  nn::Sub<nn::Linear> fc{this, "fc", {.in = 16, .out = 5}};
  Tensor forward(const Tensor& x) override { return fc(dropout(global_average_pool2d(body(x)))); }
};

/// The losses of three steps of plain gradient descent, and all gradients of the last.
std::vector<Array> trained() {
  nn::seed(3);
  Block model;
  Generator generator(1);
  Array images = Array::empty({4, 3, 8, 8}, DType::f32, Layout::channels_last);
  generator.fill_normal(images);
  const Array labels = Array::from(std::vector<std::int64_t>{0, 1, 2, 3}, {4});
  std::vector<Array> all;
  for (int step = 0; step < 3; ++step) {
    for (NamedTensor& p : model.parameters()) p.tensor.zero_grad();
    const Tensor loss = cross_entropy(model(Tensor(images)), Tensor(labels));
    loss.backward();
    profile::end_step();
    all.push_back(loss.value().clone());
  }
  for (const NamedTensor& p : model.parameters()) all.push_back(p.tensor.grad().clone());
  return all;
}

}  // namespace

TEST_CASE("a profile changes no bit") {
  const std::vector<Array> without = trained();
  profile::start();
  const std::vector<Array> with = trained();
  profile::stop();
  REQUIRE(with.size() == without.size());
  for (std::size_t i = 0; i < with.size(); ++i) CHECK(identical(with[i], without[i]));
}

TEST_CASE("rows have the paths of layers, and their ops forward and backward") {
  profile::start();
  trained();
  const profile::Report report = profile::stop();
  CHECK(report.steps == 1);
  CHECK(report.warm_up_steps == 2);
  std::set<std::string> rows;
  for (const profile::Row& row : report.rows) {
    CHECK(row.calls >= 1);
    rows.insert(row.layer + "|" + row.op + "|" + row.kernel + "|" + profile::name(row.phase));
  }
  const auto has = [&](const std::string& row) {
    INFO(row);
    CHECK(rows.contains(row));
  };
  has("body.0|conv2d|conv2d|other");
  has("body.0|conv2d|conv2d_weight_grad|backward");
  has("body.1|batch_norm|batch_norm_train|other");
  has("body.1|batch_norm|batch_norm_train_grad|backward");
  has("body.2|relu|relu|other");
  has("body.2|relu|relu_grad|backward");
  has("fc|linear|linear|other");
  has("(model)|global_average_pool2d|average_pool2d|other");
  has("|cross_entropy|cross_entropy|other");
  has("|cross_entropy|cross_entropy_grad|backward");
  for (const profile::Row& row : report.rows)  // the images need no gradient
    CHECK(row.kernel != "conv2d_input_grad");
}
