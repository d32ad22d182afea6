// BatchNorm2d: batch and running statistics against hand computation, the fused residual and ReLU, re-estimation.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/running_statistics.h>
#include <tandem/nn/sequential.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {

using Values = std::vector<double>;

void near(const Array& x, const Values& expected, double tolerance = 1e-6) {
  const Values got = x.to_vector<double>();
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(tolerance));
}

// Channel 0 holds 1 2 3 4: mean 2.5, variance 1.25, unbiased 5/3. Channel 1 holds 0 0 4 4: mean 2, variance 4, 16/3.
Tensor two_channels() { return Tensor({1, 2, 0, 0, 3, 4, 4, 4}, {2, 2, 1, 2}); }

}  // namespace

TEST_CASE("batch norm: training uses the batch and moves the running statistics") {
  nn::BatchNorm2d bn({.channels = 2});
  const double d0 = 1 / std::sqrt(1.25 + 1e-5), d1 = 1 / std::sqrt(4 + 1e-5);
  const Tensor y = bn(two_channels());
  near(y.value(), {-1.5 * d0, -.5 * d0, -2 * d1, -2 * d1, .5 * d0, 1.5 * d0, 2 * d1, 2 * d1});
  near(bn.running_mean.value(), {0.25, 0.2});
  near(bn.running_var.value(), {0.9 + 0.1 * 5 / 3, 0.9 + 0.1 * 16 / 3});
  CHECK(bn.num_batches_tracked.item() == 1);
  bn(two_channels());
  near(bn.running_mean.value(), {0.9 * 0.25 + 0.25, 0.9 * 0.2 + 0.2});
  CHECK(bn.num_batches_tracked.item() == 2);
}

TEST_CASE("batch norm: evaluation uses the running statistics and leaves them alone") {
  nn::BatchNorm2d bn({.channels = 2});
  bn.load_state_dict({{"weight", Tensor({2, 1}, {2})},
                      {"bias", Tensor({0, -1}, {2})},
                      {"running_mean", Tensor({1, 4}, {2})},
                      {"running_var", Tensor({4, 0.25}, {2})},
                      {"num_batches_tracked", Array::scalar(7, DType::i64)}});
  bn.evaluate();
  near(bn(two_channels()).value(), {0, 1, -9, -9, 2, 3, -1, -1}, 1e-4);
  near(bn.running_mean.value(), {1, 4});
  CHECK(bn.num_batches_tracked.item() == 7);
}

TEST_CASE("batch norm: the fused ReLU and residual equal the plain ops") {
  nn::BatchNorm2d plain({.channels = 3}), fused({.channels = 3, .relu = true});
  Array x = Array::empty({4, 3, 5, 5}), r = Array::empty({4, 3, 5, 5});
  Generator g(3);
  g.fill_normal(x);
  g.fill_normal(r);
  for (const bool training : {true, false}) {
    CAPTURE(training);
    fused.load_state_dict(plain.state_dict());  // the same running statistics, however often each was called
    plain.set_training(training);
    fused.set_training(training);
    near(fused(x).value(), relu(plain(x)).value().to_vector<double>(), 1e-5);
    near(fused(x, r).value(), relu(plain(x) + Tensor(r)).value().to_vector<double>(), 1e-5);
    near(plain(x, r).value(), (plain(x) + Tensor(r)).value().to_vector<double>(), 1e-5);
  }
}

TEST_CASE("batch norm: options and inputs that make no sense") {
  CHECK(error_text([] { nn::BatchNorm2d({.channels = 0}); }) == "BatchNorm2d: channels must be at least 1: 0 given");
  CHECK(error_text([] { nn::BatchNorm2d({.channels = 1, .momentum = 2}); }) ==
        "BatchNorm2d: momentum must be in [0, 1]: 2 given");
  CHECK(error_text([] { nn::BatchNorm2d({.channels = 1, .epsilon = 0}); }) ==
        "BatchNorm2d: epsilon must be positive: 0 given");
  nn::BatchNorm2d bn({.channels = 2});
  CHECK(error_text([&] {
          bn(Tensor({1, 2}, {1, 2, 1, 1}));
        }) ==
        "BatchNorm2d(2): batch_norm: one value a channel has no variance: x [1, 2, 1, 1]; train with more, or call "
        "evaluate()");
  CHECK(bn.num_batches_tracked.item() == 0);
  const std::string text = error_text([&] { bn(Array::zeros({2, 3, 4, 4})); });
  CHECK(text.rfind("BatchNorm2d(2): batch_norm", 0) == 0);
  CHECK(text.find("[2, 3, 4, 4]") != std::string::npos);
  CHECK(bn.describe() == "BatchNorm2d(2)");
  CHECK(nn::BatchNorm2d({.channels = 2, .relu = true}).describe() == "BatchNorm2d(2, relu)");
}

TEST_CASE("running statistics: re-estimation averages over the batches and restores behaviour") {
  nn::Sequential model{layer<nn::Dropout>({.p = 0.9}), layer<nn::BatchNorm2d>({.channels = 2})};
  auto& bn = dynamic_cast<nn::BatchNorm2d&>(model[1]);
  model.evaluate();
  model[0].train();
  bn.running_mean.mutable_value().fill(100);
  nn::reestimate_running_statistics(model, [&] {
    CHECK_FALSE(is_recording());
    model(two_channels());
    model(two_channels() + 3.0);
  });
  near(bn.running_mean.value(), {2.5 + 1.5, 2 + 1.5});
  near(bn.running_var.value(), {5.0 / 3, 16.0 / 3});
  CHECK(bn.num_batches_tracked.item() == 2);
  CHECK(model[0].is_training());
  CHECK_FALSE(bn.is_training());
  bn.train();
  bn(two_channels());  // a moving average again
  near(bn.running_mean.value(), {0.9 * 4 + 0.25, 0.9 * 3.5 + 0.2});

  CHECK(error_text([&] { nn::reestimate_running_statistics(model, [] {}); }) ==
        "reestimate_running_statistics: no batch reached \"1\"; run at least one");
  nn::Sequential without{layer<nn::Dropout>()};
  nn::reestimate_running_statistics(without, [] { FAIL("nothing to gather"); });
}
