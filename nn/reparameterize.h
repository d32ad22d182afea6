// Reparameterize: a sample of a normal distribution through which gradients reach its mean and variance (Kingma &
// Welling 2014, section 2.4). Its noise is keyed by (seed, step, layer) as Dropout's masks are: runs repeat, and a
// saved model continues exactly (Module::random_state). The divergence that goes with it: gaussian_kl in
// autograd/ops.h.
#pragma once

#include <memory>
#include <string>

#include <tandem/core/generator.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// mean + e^(log_variance / 2) * noise, noise of N(0, 1) from `generator`. Throws Error when the shapes differ.
Tensor reparameterize(const Tensor& mean, const Tensor& log_variance, Generator& generator);

/// Training: z = mean + e^(log_variance / 2) * noise. Evaluation: z = mean.
/// The layer's key is drawn from default_generator() at construction; the step counts its calls in training.
///   nn::Reparameterize sample;
///   Tensor z = sample(mean, log_variance);
class Reparameterize : public Module {
 public:
  Reparameterize();

  /// One call with both; the shapes are equal.
  Tensor operator()(const Tensor& mean, const Tensor& log_variance);
  using Module::operator();
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Reparameterize>(); }

 protected:
  /// x [N, 2 L]: the mean in the first half, log_variance in the second. y [N, L].
  Tensor forward(const Tensor& x) override;

 private:
  Tensor draw(const Tensor& mean, const Tensor& log_variance);

  Tensor state_;  // i64 [2]: the layer's key, its step
};

}  // namespace tandem::nn
