// See reparameterize.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/random_step.h>
#include <tandem/nn/reparameterize.h>

namespace tandem::nn {

Tensor reparameterize(const Tensor& mean, const Tensor& log_variance, Generator& generator) {
  if (!(mean.shape() == log_variance.shape())) {
    fail("reparameterize", "mean and log_variance must have the same shape",
         fmt::format("mean {}, log_variance {}", to_string(mean.shape()), to_string(log_variance.shape())));
  }
  Array noise = Array::empty(mean.shape(), mean.dtype());
  generator.fill_normal(noise);
  return mean + exp(log_variance * 0.5) * Tensor(noise);
}

Reparameterize::Reparameterize() { state_ = random_buffer("generator", new_random_state()); }

Tensor Reparameterize::operator()(const Tensor& mean, const Tensor& log_variance) {
  return enter(mean, [&] { return draw(mean, log_variance); });
}

Tensor Reparameterize::forward(const Tensor& x) {
  if (x.rank() != 2 || x.shape(1) % 2 != 0) {
    fail("reparameterize", "x must be [N, 2 L]: the mean, then log_variance", "x " + to_string(x.shape()));
  }
  const std::int64_t latent = x.shape(1) / 2;
  return draw(slice(x, 1, 0, latent), slice(x, 1, latent, 2 * latent));
}

Tensor Reparameterize::draw(const Tensor& mean, const Tensor& log_variance) {
  if (!is_training()) return mean;
  Generator generator = next_generator(state_);
  return reparameterize(mean, log_variance, generator);
}

}  // namespace tandem::nn
