// DetectAnomaly through layers: the op's layer path, in forward and in backward.
#include <tandem/autograd/anomaly.h>

#include <doctest/doctest.h>

#include <string>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/nn/module.h>

using namespace tandem;

namespace {

struct Root : nn::Module {
  Tensor forward(const Tensor& x) override { return sqrt(x); }
};
struct Head : nn::Module {
  Root root;
  Head() { child("root", root); }
  Tensor forward(const Tensor& x) override { return root(x) * 2.0; }
};
struct Model : nn::Module {
  Head head;
  Model() { child("head", head); }
  Tensor forward(const Tensor& x) override { return sum(head(x)); }
};

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("anomalies are named with the path of their layer") {
  Model model;
  const Tensor x = Tensor({4, 0}, {2}).set_requires_grad(true);
  const DetectAnomaly detect;
  const Tensor loss = model(x);
  CHECK(
      message_of([&] { loss.backward(); }) ==
      "layer \"head.root\" Root: backward of sqrt: makes a gradient that is not finite: of input 0 [2] has inf at [1], "
      "dy [2] is finite");
  CHECK(
      message_of([&] {
        model(Tensor({4, -1}, {2}));
      }) ==
      "layer \"head.root\" Root: sqrt: makes a value that is not finite: y [2] has nan at [1], inputs [2] are finite");
}
