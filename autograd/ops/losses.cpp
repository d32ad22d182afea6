// Losses against numbers: squared and absolute error, binary cross-entropy: scalars, the mean over all elements. And
// the divergence of a normal distribution from the standard one, the sum over an example. Not here: losses against
// labels (cross_entropy.cpp).
#include <limits>

#include <fmt/format.h>

#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/reduce/reduce.h>

#include "common.h"

namespace tandem {

namespace {

/// Losses are added up and given in f32 at least.
Tensor widened(const Tensor& x) {
  return x.defined() && (x.dtype() == DType::bf16 || x.dtype() == DType::f16) ? to(x, DType::f32) : x;
}

/// Broadcasting in a loss hides mistakes, so shapes must be equal.
void require_equal_shapes(const char* op, const char* name_a, const Array& a, const char* name_b, const Array& b) {
  if (a.shape() == b.shape()) return;
  fail(op, fmt::format("{} and {} must have the same shape", name_a, name_b),
       fmt::format("{} {}, {} {}", name_a, to_string(a.shape()), name_b, to_string(b.shape())));
}

void require_equal_shapes(const char* op, const Array& x, const Array& target) {
  require_equal_shapes(op, "x", x, "target", target);
}

/// log x, at least -100: a probability of 0 costs 100 nats and no more.
constexpr double kLeastLog = -100;
/// x (1 - x) in the gradient, at least this; PyTorch's constant, which is a float.
constexpr double kLeastVariance = 1e-12F;

/// e^v - 1 = tanh(v / 2) (e^v + 1), with all digits near v = 0 too.
Tensor exp_minus_one(const Tensor& v) { return tanh(v * 0.5) * (exp(v) + 1); }

}  // namespace

/// y = mean (x - t)^2;  dx = 2 (x - t) dy / n, dt = -dx
Tensor mse_loss(const Tensor& given, const Tensor& wanted) {
  const Tensor x = widened(given), target = widened(wanted);
  const Array &a = ops::floating("mse_loss", "x", x), &t = ops::floating("mse_loss", "target", target);
  require_equal_shapes("mse_loss", a, t);
  const double n = static_cast<double>(a.size());
  return record("mse_loss", kernels::mean_squared_error(a, t), {x, target}, {x, target},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  if (!is_recording()) {
                    Array dx = kernels::mean_squared_error_grad(dy.value(), saved[0].value(), saved[1].value());
                    Tensor dt = needs[1] ? Tensor(kernels::negate(dx)) : Tensor{};
                    return Grads{needs[0] ? Tensor(std::move(dx)) : Tensor{}, std::move(dt)};
                  }
                  const Tensor dx = (saved[0] - saved[1]) * (dy * (2 / n));
                  return Grads{needs[0] ? dx : Tensor{}, needs[1] ? negate(dx) : Tensor{}};
                });
}

/// y = mean |x - t|;  dx = sign(x - t) dy / n, dt = -dx
Tensor l1_loss(const Tensor& given, const Tensor& wanted) {
  const Tensor x = widened(given), target = widened(wanted);
  const Array &a = ops::floating("l1_loss", "x", x), &t = ops::floating("l1_loss", "target", target);
  require_equal_shapes("l1_loss", a, t);
  const double n = static_cast<double>(a.size());
  const Array difference = kernels::subtract(a, t);
  Array y = kernels::mean(kernels::absolute(difference));
  return record("l1_loss", std::move(y), {x, target}, {Save(kernels::sign(difference))},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor dx = saved[0] * (dy / n);
                  return Grads{needs[0] ? dx : Tensor{}, needs[1] ? negate(dx) : Tensor{}};
                });
}

/// y = -mean (t log x + (1 - t) log(1 - x)), logarithms at least -100
/// dx = (x - t) / max(x (1 - x), 1e-12) dy / n, dt = (log(1 - x) - log x) dy / n
Tensor binary_cross_entropy(const Tensor& given, const Tensor& wanted) {
  const Tensor x = widened(given), target = widened(wanted);
  constexpr const char* op = "binary_cross_entropy";
  const Array &a = ops::floating(op, "x", x), &t = ops::floating(op, "target", target);
  require_equal_shapes(op, a, t);
  if (a.size() > 0) {
    const double low = kernels::min(a).item(), high = kernels::max(a).item();
    if (!(low >= 0 && high <= 1)) {
      fail(op, "x must be in [0, 1]", fmt::format("x {} from {} to {}", to_string(a.shape()), low, high),
           "use binary_cross_entropy_with_logits for numbers before the sigmoid");
    }
  }
  const double n = static_cast<double>(a.size());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Array yes = kernels::clamp(kernels::log(a), kLeastLog, kInfinity);
  const Array no = kernels::clamp(kernels::log(kernels::add(kernels::negate(a), 1)), kLeastLog, kInfinity);
  // t log x + (1 - t) log(1 - x) = log(1 - x) + t (log x - log(1 - x))
  Array y = kernels::negate(kernels::mean(kernels::add(no, kernels::multiply(t, kernels::subtract(yes, no)))));
  return record(op, std::move(y), {x, target}, {x, Save(target, ops::kInput0)},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  const Tensor& p = saved[0];
                  Grads grads(2);
                  if (needs[0]) {
                    const Tensor variance = clamp(p * (1 - p), kLeastVariance, 1);
                    grads[0] = (p - saved[1]) / variance * (dy / n);
                  }
                  if (needs[1]) {
                    grads[1] =
                        (clamp(log(1 - p), kLeastLog, kInfinity) - clamp(log(p), kLeastLog, kInfinity)) * (dy / n);
                  }
                  return grads;
                });
}

/// y = mean (softplus(x) - x t);  dx = (sigmoid(x) - t) dy / n, dt = -x dy / n
Tensor binary_cross_entropy_with_logits(const Tensor& given, const Tensor& wanted) {
  const Tensor x = widened(given), target = widened(wanted);
  constexpr const char* op = "binary_cross_entropy_with_logits";
  const Array &a = ops::floating(op, "x", x), &t = ops::floating(op, "target", target);
  require_equal_shapes(op, a, t);
  const double n = static_cast<double>(a.size());
  Array y = kernels::mean(kernels::subtract(kernels::softplus(a), kernels::multiply(a, t)));
  return record(op, std::move(y), {x, target}, {x, Save(target, ops::kInput0)},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? (sigmoid(saved[0]) - saved[1]) * (dy / n) : Tensor{},
                               needs[1] ? saved[0] * (dy / -n) : Tensor{}};
                });
}

/// y = (1 / 2N) sum (m^2 + e^v - v - 1), v = log_variance;  dm = m dy / N, dv = (e^v - 1) dy / 2N
Tensor gaussian_kl(const Tensor& given_mean, const Tensor& given_variance) {
  const Tensor mean = widened(given_mean), log_variance = widened(given_variance);
  constexpr const char* op = "gaussian_kl";
  const Array &m = ops::floating(op, "mean", mean), &v = ops::floating(op, "log_variance", log_variance);
  require_equal_shapes(op, "mean", m, "log_variance", v);
  if (m.rank() < 1 || m.shape(0) < 1) {
    fail(op, "mean must be [N, ...] and not empty", "mean " + to_string(m.shape()));
  }
  const double n = static_cast<double>(m.shape(0));
  // e^v - 1 - v >= 0 is v^2 / 2 near 0, where it is the difference of two numbers near v: in double.
  const Array wide = v.to(DType::f64);
  const Array spread = kernels::subtract(exp_minus_one(wide).value(), wide);
  const Array squares = kernels::square(m.to(DType::f64));
  Array y = kernels::multiply(kernels::sum(kernels::add(squares, spread)), 0.5 / n).to(m.dtype());
  return record(op, std::move(y), {mean, log_variance}, {Save(mean, ops::kInput0), Save(log_variance, ops::kInput1)},
                [n](const Tensor& dy, const Saved& saved, Needs needs) {
                  return Grads{needs[0] ? saved[0] * (dy / n) : Tensor{},
                               needs[1] ? exp_minus_one(saved[1]) * (dy / (2 * n)) : Tensor{}};
                });
}

}  // namespace tandem
