// Gradients that meet at one result: summed in the memory of one of them, unless somebody else holds it.
#include <doctest/doctest.h>

#include <vector>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/gradient_hook.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/allocator.h>

using namespace tandem;

TEST_CASE("gradients of one result are summed in the memory of the first") {
  const std::int64_t n = 1 << 18, bytes = n * 4;
  const Tensor x = Tensor(Array::full({n}, 0.5)).set_requires_grad(true);
  const Tensor h = x * 1.0;
  const Tensor y = sum(h * 2.0 + h * 3.0 + h * 4.0);
  reset_peak_memory();
  const auto before = static_cast<std::int64_t>(memory_stats().bytes_in_use);
  y.backward();
  CHECK(x.grad().to_vector<float>() == std::vector<float>(static_cast<std::size_t>(n), 9.0F));
  // The sum so far and what comes to it; three would be a sum in memory of its own.
  CHECK(static_cast<std::int64_t>(memory_stats().peak_bytes) - before < 2 * bytes + bytes / 2);
}

TEST_CASE("gradients that somebody holds are not summed into") {
  const Tensor x = Tensor({1, 2}, {2}, DType::f64).set_requires_grad(true);
  const Tensor h = x * 1.0, u = h * 2.0;
  Tensor seen;
  const GradientHook hook = u.on_gradient([&](const Tensor& gradient) { seen = gradient; });
  const Array seed = Array::full({2}, 1, DType::f64);
  (h + u).backward(seed);  // add hands the seed to both
  CHECK(x.grad().to_vector<double>() == std::vector<double>{3, 3});
  CHECK(seen.value().to_vector<double>() == std::vector<double>{1, 1});
  CHECK(seed.to_vector<double>() == std::vector<double>{1, 1});
}
