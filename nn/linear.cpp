// See linear.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>

namespace tandem::nn {

Linear::Linear(const Options& options) : options_(options) {
  if (options.in < 1 || options.out < 1) {
    fail("Linear", "in and out must be at least 1", fmt::format("in {}, out {}", options.in, options.out));
  }
  weight = parameter("weight", Array::empty({options.out, options.in}));
  if (options.bias) bias = parameter("bias", Array::empty({options.out}));
  init::pytorch_default(weight, bias);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

std::string Linear::describe() const {
  return fmt::format("Linear({} -> {}{})", options_.in, options_.out, options_.bias ? "" : ", no bias");
}

std::int64_t Linear::multiply_adds(const Shape&, const Shape& y) const { return y.count() * options_.in; }

}  // namespace tandem::nn
