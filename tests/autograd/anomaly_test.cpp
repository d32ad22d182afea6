// DetectAnomaly names the op of the first NaN or infinity, in forward and backward, with shapes and layer.
#include <tandem/autograd/anomaly.h>

#include "ops_helpers.h"

#include <limits>

#include <tandem/autograd/record.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("forward: the op that makes it is named, not those that pass it on") {
  const Tensor x = leaf({1, 0, 4}, {3});
  const auto run = [&] { return sum(exp(log(x) * 2.0)); };
  CHECK(message_of(run) == "no error");
  const DetectAnomaly detect;
  CHECK(is_detecting_anomalies());
  CHECK(message_of(run) == "log: makes a value that is not finite: y [3] has -inf at [1], inputs [3] are finite");
  const NoGradGuard guard;
  CHECK(message_of([&] { sqrt(x - 2.0); }) ==
        "sqrt: makes a value that is not finite: y [3] has nan at [0], inputs [3] are finite");
}

TEST_CASE("forward: what was not finite before is said to be so") {
  const DetectAnomaly detect;
  const Tensor data(Array::from({1, 2, std::numeric_limits<double>::quiet_NaN(), 4}, {2, 2}));
  CHECK(message_of([&] { relu(data * 2.0); }) ==
        "multiply: an input is not finite: input 0 [2, 2] has nan at [1, 0]; no op made it: look at the data, the "
        "parameters and what was computed elsewhere");
}

TEST_CASE("backward: the op whose gradient is not finite is named") {
  Tensor x = leaf({4, 0}, {2});
  const DetectAnomaly detect;
  const Tensor y = sum(sqrt(x) * 3.0);  // d sqrt(0) = inf
  CHECK(message_of([&] { y.backward(); }) ==
        "backward of sqrt: makes a gradient that is not finite: of input 0 [2] has inf at [1], dy [2] is finite");
  CHECK_FALSE(x.has_grad());
  const Tensor z = x * 2.0;
  CHECK(message_of([&] {
          z.backward(Array::from({1, std::numeric_limits<double>::infinity()}, {2}));
        }) ==
        "backward of multiply: the gradient that arrives is not finite: dy [2] has inf at [1]; no op made it: look at "
        "the seed, at hooks, and at gradients whose sum is too large");
}

TEST_CASE("backward: the layer that recorded the op is named, scopes nest, and nothing remains") {
  Tensor x = leaf({0}, {1});
  Tensor y;
  std::string message;
  {
    const DetectAnomaly detect;
    {
      const LayerScope model("", "Model"), head("head", "Head"), root("root", "Root(1)");
      y = sqrt(x);
    }
    message = message_of([&] { y.backward(/*retain_graph=*/true); });
    {
      const DetectAnomaly only_nan({.infinity = false});
      CHECK(message_of([&] { y.backward(/*retain_graph=*/true); }) == "no error");
    }
    CHECK(message_of([&] { log(x); }) != "no error");
  }
  CHECK(message.find("layer \"head.root\" Root(1): backward of sqrt: makes a gradient that is not finite") == 0);
  CHECK_FALSE(is_detecting_anomalies());
  CHECK(message_of([&] { log(x); }) == "no error");
}

TEST_CASE("ops that a backward is written with are judged by the gradient alone") {
  // power's gradient by the exponent uses log(0) nowhere that counts: 0^b has the gradient 0.
  Tensor a = leaf({0, 2}, {2}), b = leaf({2, 3}, {2});
  const DetectAnomaly detect;
  CHECK(message_of([&] { sum(power(a, b)).backward(); }) == "no error");
}
